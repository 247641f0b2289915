//! Documents that are generated.
