//! Lessons on real processes: each comes to its goal, and to none with its sabotage.

mod common;

use common::Lab;

/// For all lessons together, both ways, on a machine that others use as well.
const CHECK_LIMIT: u64 = 900;

#[test]
fn every_lesson_comes_to_its_goal_and_none_does_so_with_its_sabotage() {
    let lab = Lab::new();
    let done = lab.spawn("lesson check --all --sabotage -o json").wait(CHECK_LIMIT).expect(0);
    let report = done.json();
    let lessons = report["data"]["lessons"].as_array().expect("a list");
    assert!(lessons.len() >= 12, "{report}");
    for lesson in lessons {
        assert_eq!(lesson["end"], "finished", "{lesson}");
        assert_eq!(lesson["right"], lesson["asked"], "{lesson}");
        let sabotages = lesson["sabotages"].as_array().expect("a list");
        assert!(!sabotages.is_empty(), "{lesson}");
        assert!(sabotages.iter().all(|sabotage| sabotage["holds"] == true), "{lesson}");
    }
    assert!(lab.processes().is_empty());
}
