//! Odds as people say them.

/// Odds beyond which a number says no more: one in a million.
const MOST: f64 = 1e6;

/// From here on a place after the point says nothing.
const WHOLE: f64 = 99.5;

/// Odds to one in words, such as `3.5 : 1` or `1 : 250`: the larger number first where they are for it.
pub fn odds_in_words(odds: f64) -> String {
    let number = |odds: f64| {
        if odds > MOST {
            "> 1M".to_owned()
        } else if odds >= WHOLE {
            format!("{odds:.0}")
        } else {
            format!("{odds:.1}")
        }
    };
    if odds < 1.0 {
        format!("1 : {}", number(odds.recip()))
    } else {
        format!("{} : 1", number(odds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_are_written_as_people_say_them() {
        let shown = [1.9, 1.0, 0.25, 250.0, 1e9, f64::INFINITY, 0.004, 0.0].map(odds_in_words);
        let wanted = [
            "1.9 : 1", "1.0 : 1", "1 : 4.0", "250 : 1", "> 1M : 1", "> 1M : 1", "1 : 250",
            "1 : > 1M",
        ];
        assert_eq!(shown, wanted);
    }
}
