//! What identities of a crowd are called. They share a process, and to an observer of the links each
//! is a machine of its own.

/// The name of an identity of this process, counted from 1, such as `crowd-3`. No process has it.
pub fn identity_name(process: &str, number: u32) -> String {
    format!("{process}-{number}")
}

/// The process and the number of an identity of this name. Names of processes may look the same, so
/// look for those first.
pub fn identity_of(name: &str) -> Option<(&str, u32)> {
    let (process, number) = name.rsplit_once('-')?;
    let is_plain = number.starts_with(|first: char| ('1'..='9').contains(&first));
    number.parse().ok().filter(|_| is_plain).map(|number| (process, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_process_and_number() {
        assert_eq!(identity_name("crowd", 3), "crowd-3");
        assert_eq!(identity_of("crowd-3"), Some(("crowd", 3)));
        assert_eq!(identity_of("a-crowd-30"), Some(("a-crowd", 30)));
        for name in ["crowd", "crowd-", "crowd-0", "crowd-03", "crowd-+3", "crowd-x", "-", ""] {
            assert_eq!(identity_of(name), None, "{name}");
        }
    }
}
