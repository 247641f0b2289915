//! Multiplying points of Curve25519, several at once: nine tenths of what unwrapping a packet costs.

#[cfg(target_arch = "x86_64")]
mod ifma;
#[cfg(test)]
mod tests;

use x25519_dalek::x25519;

/// Most multiplications that are asked for at once.
pub(crate) const LANES: usize = 8;

/// Multiplies u-coordinates by clamped scalars, as RFC 7748 says.
pub(crate) trait X25519: Send + Sync {
    /// Its name, for logs and benchmarks.
    fn name(&self) -> &'static str;

    /// Multiplies each point by the scalar of the same index, in place; at most [`LANES`] of them.
    /// Takes a time that depends on nothing but how many there are.
    fn multiply(&self, scalars: &[[u8; 32]], points: &mut [[u8; 32]]);
}

/// One after the other, on any processor.
pub(crate) struct Portable;

impl X25519 for Portable {
    fn name(&self) -> &'static str {
        "portable"
    }

    fn multiply(&self, scalars: &[[u8; 32]], points: &mut [[u8; 32]]) {
        debug_assert_eq!(scalars.len(), points.len(), "each point has its scalar");
        for (scalar, point) in scalars.iter().zip(points) {
            *point = x25519(*scalar, *point);
        }
    }
}

/// The fastest on this processor.
pub(crate) fn fastest() -> &'static dyn X25519 {
    #[cfg(target_arch = "x86_64")]
    if let Some(ifma) = ifma::Ifma::detect() {
        return ifma;
    }
    &Portable
}
