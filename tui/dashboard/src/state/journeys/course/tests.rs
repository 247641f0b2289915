//! Courses of hand-made journeys.

use super::*;
use crate::fixture::journeys::{self, Told as Tells};

fn names<'a>(course: &'a Course<'_>) -> Vec<&'a str> {
    course.stops.iter().map(|stop| stop.node.unwrap_or("?")).collect()
}

#[test]
fn a_whole_journey_has_every_stop_there_and_back() {
    let journey = journeys::whole("m", 0, 1);
    let course = Course::new(&journey, Some("bob"));
    assert_eq!(
        names(&course),
        [
            "alice",
            "mix-1-2",
            "mix-2-1",
            "mix-3-1",
            "provider-1",
            "bob",
            "provider-1",
            "mix-1-1",
            "mix-2-2",
            "mix-3-1",
            "provider-1",
            "alice"
        ]
    );
    assert!(course.stops.iter().all(|stop| matches!(stop.fate, Fate::Told(_))));
    assert_eq!(course.whereabouts(course.last_heard()), Whereabouts::Done);
    // What the dashboard draws and what `send --follow` adds up is the same way.
    let timeline = journey.timeline().expect("it was sent");
    assert!(timeline.is_complete());
    let end = course.stops.iter().find(|stop| stop.id.part == Part::Recipient);
    let Some(Fate::Told(end)) = end.map(|stop| &stop.fate) else { panic!("{course:?}") };
    assert_eq!(timeline.delay(), Some(end.left.saturating_since(course.start)));
}

/// What was heard so far of a packet: the marker follows its plan, and when that is over the packet
/// is missed.
#[test]
fn a_packet_underway_is_where_its_header_says_until_it_is_missed() {
    let journey = journeys::told(journeys::whole("m", 0, 1), Tells::Until(2));
    let course = Course::new(&journey, Some("bob"));
    let last = course.last_heard();
    // mix-1-2 told; mix-2-1 was asked for 87 ms.
    assert_eq!(course.whereabouts(last + Duration::from_millis(50)), Whereabouts::Underway(2));
    // By its header it is further meanwhile: 87 and 301 ms there, 44 ms back, then 530 ms.
    assert_eq!(course.whereabouts(last + Duration::from_millis(600)), Whereabouts::Underway(8));
    let late = last + Duration::from_millis(87) + OVERDUE_AFTER + Duration::from_millis(1);
    assert!(matches!(course.whereabouts(late), Whereabouts::Overdue(2, _)));
    let Fate::Ahead { due: Some((came, left)) } = course.stops[3].fate else {
        panic!("{:?}", course.stops[3])
    };
    assert_eq!(came, last + Duration::from_millis(87));
    assert_eq!(left, came + Duration::from_millis(301));
}

#[test]
fn who_told_nothing_of_a_packet_seen_later_is_silent() {
    let journey = journeys::told(journeys::whole("m", 0, 1), Tells::AllBut(&["mix-2-1"]));
    let course = Course::new(&journey, Some("bob"));
    assert_eq!(course.stops[2].fate, Fate::Silent);
    assert_eq!(course.whereabouts(course.last_heard()), Whereabouts::Done);
}

#[test]
fn of_a_reply_the_hops_become_known_one_by_one() {
    let whole = journeys::reply("m");
    let journey = journeys::told(whole.clone(), Tells::Until(1));
    assert_eq!(names(&Course::new(&journey, None)), ["bob", "mix-1-2", "?", "?"]);
    let course = Course::new(&whole, None);
    assert!(course.is_reply);
    assert_eq!(names(&course), ["bob", "mix-1-2", "mix-2-1", "mix-3-1", "provider-1", "alice"]);
    assert!(course.stops.iter().all(|stop| matches!(stop.fate, Fate::Told(_))));
}

#[test]
fn an_ack_comes_back_though_the_recipient_is_away() {
    let journey = journeys::told(journeys::whole("m", 0, 1), Tells::AllBut(&["bob"]));
    let course = Course::new(&journey, Some("bob"));
    let late = course.last_heard() + OVERDUE_AFTER * 2;
    assert_eq!(course.whereabouts(late), Whereabouts::Stored(5));
}

#[test]
fn a_dropped_packet_goes_no_further() {
    let journey = journeys::dropped("m", 0, 1);
    let course = Course::new(&journey, Some("bob"));
    assert_eq!(
        course.whereabouts(course.last_heard() + OVERDUE_AFTER * 9),
        Whereabouts::Dropped(2)
    );
    assert_eq!(course.stops[3].fate, Fate::Ahead { due: None });
}

#[test]
fn of_a_packet_that_left_twice_the_later_is_meant() {
    let (first, second) = (journeys::whole("m", 0, 1), journeys::whole("m", 0, 2));
    let mut journey = journeys::told(first, Tells::Until(2));
    second.steps.into_iter().for_each(|step| journey.add(step));
    let course = Course::new(&journey, Some("bob"));
    assert_eq!(course.stops.len(), 12);
    let whole = journeys::whole("m", 0, 2);
    assert_eq!(course.start, whole.steps[0].at());
}

#[test]
fn of_a_journey_whose_beginning_was_missed_the_rest_stands() {
    let journey = journeys::told(journeys::whole("m", 0, 1), Tells::AllBut(&["alice"]));
    let course = Course::new(&journey, Some("bob"));
    let mixes = ["?", "mix-1-2", "mix-2-1", "mix-3-1", "provider-1", "bob"];
    assert_eq!(names(&course)[..6], mixes);
    assert_eq!(course.stops[0].fate, Fate::Silent);
}
