//! The rule of v0.7.0 that mixnodes must have a minimum version.

use semver::Version;

/// Why a mixnode's version is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadVersion {
    /// It has no three parts. The original's words.
    #[error("No Major.Minor.Patch elements found")]
    NoParts,
    /// It is no version in another way.
    #[error("`version` is not like 1.2.3: {0}")]
    Unreadable(semver::Error),
    /// It is older than the minimum. The original's words, to which programs of its time may look.
    #[error("Minimum support mixnode version is {minimum}")]
    TooOld {
        /// What would be taken.
        minimum: Version,
    },
}

/// Checks a mixnode's version. A pre-release of the minimum is older than it.
pub(crate) fn check(version: &str, minimum: &Version) -> Result<(), BadVersion> {
    if version.split('.').count() < 3 {
        return Err(BadVersion::NoParts);
    }
    let version: Version = version.parse().map_err(BadVersion::Unreadable)?;
    if version < *minimum {
        return Err(BadVersion::TooOld { minimum: minimum.clone() });
    }
    Ok(())
}
