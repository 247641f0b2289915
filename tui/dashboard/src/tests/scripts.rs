//! Tables of what is pressed and what comes of it.
