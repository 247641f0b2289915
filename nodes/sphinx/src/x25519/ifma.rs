//! Eight X25519 ladders side by side, one in each lane of AVX-512 vectors.
//!
//! Time and memory accesses depend on no scalar and no point. What goes in and out is erased; what the
//! compiler moves from registers to the stack meanwhile is not, for no program can reach it.

mod field;
#[cfg(test)]
mod tests;

use core::arch::x86_64::{_mm512_set1_epi64, _mm512_test_epi64_mask};

use zeroize::Zeroizing;

use self::field::{Numbers, Products, gather};
use super::{LANES, X25519};

/// A quarter of the curve's coefficient less two, as RFC 7748 calls it.
const A24: u32 = 121_665;

/// A scalar is clamped: its lowest three bits and its topmost are cleared, the one below that is set.
/// Words, lowest first.
const CLAMP_AND: [u64; 4] = [!7, u64::MAX, u64::MAX, u64::MAX >> 1];
const CLAMP_OR: [u64; 4] = [0, 0, 0, 1 << 62];

/// The arithmetic of processors with AVX-512 IFMA. Only [`Ifma::detect`] gives one away.
pub(crate) struct Ifma(());

static IFMA: Ifma = Ifma(());

impl Ifma {
    /// Itself, where the processor has all that it uses.
    pub(crate) fn detect() -> Option<&'static Self> {
        let present = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma");
        present.then_some(&IFMA)
    }
}

impl X25519 for Ifma {
    fn name(&self) -> &'static str {
        "AVX-512 IFMA"
    }

    #[expect(unsafe_code, reason = "the compiler cannot know which processor it will run on")]
    fn multiply(&self, scalars: &[[u8; 32]], points: &mut [[u8; 32]]) {
        debug_assert_eq!(scalars.len(), points.len(), "each point has its scalar");
        for (scalars, points) in scalars.chunks(LANES).zip(points.chunks_mut(LANES)) {
            // Lanes without a point multiply 0 by a known scalar, and nobody asks for the result.
            let mut all_scalars = Zeroizing::new([[0; 32]; LANES]);
            let mut all_points = Zeroizing::new([[0; 32]; LANES]);
            all_scalars[..scalars.len()].copy_from_slice(scalars);
            all_points[..points.len()].copy_from_slice(points);
            // SAFETY: the function needs a processor with the features that its attribute names.
            // `detect` gives `self` away only where it has seen them, and processors keep them.
            *all_points = unsafe { multiply(&all_scalars, &all_points) };
            points.copy_from_slice(&all_points[..points.len()]);
        }
    }
}

/// Multiplies each point by its scalar, which is clamped first: RFC 7748, section 5.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn multiply(scalars: &[[u8; 32]; LANES], points: &[[u8; 32]; LANES]) -> [[u8; 32]; LANES] {
    let word = |word: usize| {
        gather(|lane| {
            let bytes = scalars[lane][8 * word..].first_chunk().expect("32 bytes");
            u64::from_le_bytes(*bytes) & CLAMP_AND[word] | CLAMP_OR[word]
        })
    };
    let words = [word(0), word(1), word(2), word(3)];

    let point = Numbers::from_bytes(points);
    // Two multiples of the point whose difference is the point, as fractions.
    let (zero, one) = (Products::from(Numbers::small(0)), Products::from(Numbers::small(1)));
    let (mut x2, mut z2) = (one, zero);
    let (mut x3, mut z3) = (Products::from(point), one);
    let mut swapped = 0;
    for bit in (0..255).rev() {
        let ones = _mm512_test_epi64_mask(words[bit / 64], _mm512_set1_epi64(1 << (bit % 64)));
        let swap = swapped ^ ones;
        swapped = ones;
        (x2, x3) = (x2.or_where(swap, x3), x3.or_where(swap, x2));
        (z2, z3) = (z2.or_where(swap, z3), z3.or_where(swap, z2));

        // The names are those of the RFC, where `difference` is `E`.
        let (a, b) = (x2.plus(z2), x2.minus(z2));
        let (c, d) = (x3.plus(z3), x3.minus(z3));
        let (da, cb) = (d.times(a), c.times(b));
        let (aa, bb) = (a.squared(), b.squared());
        let difference = aa.minus(bb);
        let (aa, bb) = (aa.carried(), bb.carried());
        x3 = da.plus(cb).squared();
        z3 = da.minus(cb).squared().carried().times(point);
        x2 = aa.times(bb);
        z2 = difference.times(aa.plus_times(difference, A24));
    }
    // The last bit of a clamped scalar is 0: nothing is left to swap.
    x2.carried().times(z2.carried().inverted()).carried().to_bytes()
}

#[cfg(test)]
impl Ifma {
    /// What the field makes of the tests' numbers.
    #[expect(unsafe_code, reason = "as in `multiply`")]
    fn calculate(_proof: &Self, input: &tests::Input) -> tests::Output {
        // SAFETY: as in `multiply`.
        unsafe { tests::calculate(input) }
    }
}
