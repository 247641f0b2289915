//! Arithmetic modulo p = 2^255 - 19, on eight numbers at once.
//!
//! A number is five limbs of 51 bits, each in a vector of its own: `limbs[i]` holds limb `i` of all
//! eight. AVX-512 IFMA multiplies the low 52 bits of two lanes and adds the lower or the upper 52
//! bits of the product, so the limbs of [`Numbers`] are below 2^52. What comes out is wider, and is
//! [`Products`] until it is carried. Nothing here branches on a number or looks at memory by one.

use core::arch::x86_64::{
    __m512i, _mm256_extract_epi64, _mm512_add_epi64, _mm512_and_si512, _mm512_extracti64x4_epi64,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_mullo_epi64,
    _mm512_set_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srli_epi64, _mm512_sub_epi64,
};

use crate::x25519::LANES;

/// Limbs of a number.
pub(super) const LIMBS: usize = 5;

/// Bits of a limb.
const LIMB_BITS: u32 = 51;

/// The bits of a limb.
const LIMB: u64 = (1 << LIMB_BITS) - 1;

/// Eight numbers modulo p, not fully reduced: every limb is below 2^52.
#[derive(Clone, Copy)]
pub(super) struct Numbers([__m512i; LIMBS]);

/// A vector of what the function says for each lane.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn gather(lane: impl Fn(usize) -> u64) -> __m512i {
    let lane = |index| lane(index).cast_signed();
    _mm512_set_epi64(lane(7), lane(6), lane(5), lane(4), lane(3), lane(2), lane(1), lane(0))
}

/// The lanes of a vector.
#[inline]
#[target_feature(enable = "avx512f")]
fn scatter(vector: __m512i) -> [u64; LANES] {
    let low = _mm512_extracti64x4_epi64::<0>(vector);
    let high = _mm512_extracti64x4_epi64::<1>(vector);
    [
        _mm256_extract_epi64::<0>(low),
        _mm256_extract_epi64::<1>(low),
        _mm256_extract_epi64::<2>(low),
        _mm256_extract_epi64::<3>(low),
        _mm256_extract_epi64::<0>(high),
        _mm256_extract_epi64::<1>(high),
        _mm256_extract_epi64::<2>(high),
        _mm256_extract_epi64::<3>(high),
    ]
    .map(i64::cast_unsigned)
}

/// Their products, and what is calculated with them before the next: every limb is below 2^61.
#[derive(Clone, Copy)]
pub(super) struct Products([__m512i; LIMBS]);

/// The same number in each lane.
#[inline]
#[target_feature(enable = "avx512f")]
fn splat(number: u64) -> __m512i {
    _mm512_set1_epi64(number.cast_signed())
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi64(a, b)
}

/// Twice each limb.
#[inline]
#[target_feature(enable = "avx512f")]
fn double(limbs: &mut [__m512i]) {
    for limb in limbs {
        *limb = add(*limb, *limb);
    }
}

impl Numbers {
    /// The same small number in each lane.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn small(number: u32) -> Self {
        let zero = _mm512_setzero_si512();
        Self([splat(number.into()), zero, zero, zero, zero])
    }

    /// The numbers that these bytes write, lowest first. The topmost bit is not looked at; what is
    /// not below p is fine.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn from_bytes(bytes: &[[u8; 32]; LANES]) -> Self {
        // Limb i begins with bit 51 i, which is bit 3 i of byte 6 i; the last would end behind the
        // bytes and is read from a byte further in front.
        let word = |lane: usize, at: usize| {
            u64::from_le_bytes(*bytes[lane][at..].first_chunk().expect("32 bytes"))
        };
        Self([
            gather(|lane| word(lane, 0) & LIMB),
            gather(|lane| (word(lane, 6) >> 3) & LIMB),
            gather(|lane| (word(lane, 12) >> 6) & LIMB),
            gather(|lane| (word(lane, 19) >> 1) & LIMB),
            gather(|lane| (word(lane, 24) >> 12) & LIMB),
        ])
    }

    /// The numbers as bytes, lowest first, each below p.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn to_bytes(self) -> [[u8; 32]; LANES] {
        let limbs = self.0.map(|limb| scatter(limb));
        core::array::from_fn(|lane| encode(core::array::from_fn(|i| limbs[i][lane])))
    }

    /// Limbs as they stand.
    #[cfg(test)]
    #[target_feature(enable = "avx512f")]
    pub(super) fn from_limbs(limbs: &[[u64; LIMBS]; LANES]) -> Self {
        Self([0, 1, 2, 3, 4].map(|i| gather(|lane| limbs[lane][i])))
    }

    /// Limbs as they stand.
    #[cfg(test)]
    #[target_feature(enable = "avx512f")]
    pub(super) fn to_limbs(self) -> [[u64; LIMBS]; LANES] {
        Products(self.0).to_limbs()
    }

    /// The products.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn times(self, other: Self) -> Products {
        let (a, b) = (self.0, other.0);
        // The upper half of a product of limbs weighs 2^52: one limb further, and twice.
        let mut sums = [_mm512_setzero_si512(); 2 * LIMBS];
        for i in 0..LIMBS {
            for j in 0..LIMBS {
                sums[i + j + 1] = _mm512_madd52hi_epu64(sums[i + j + 1], a[i], b[j]);
            }
        }
        double(&mut sums);
        for i in 0..LIMBS {
            for j in 0..LIMBS {
                sums[i + j] = _mm512_madd52lo_epu64(sums[i + j], a[i], b[j]);
            }
        }
        Products::fold(&sums)
    }

    /// The squares.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn squared(self) -> Products {
        let a = self.0;
        // As above; and the product of two different limbs counts twice.
        let mut sums = [_mm512_setzero_si512(); 2 * LIMBS];
        for i in 0..LIMBS {
            for j in i + 1..LIMBS {
                sums[i + j + 1] = _mm512_madd52hi_epu64(sums[i + j + 1], a[i], a[j]);
            }
        }
        double(&mut sums);
        for i in 0..LIMBS {
            sums[2 * i + 1] = _mm512_madd52hi_epu64(sums[2 * i + 1], a[i], a[i]);
            for j in i + 1..LIMBS {
                sums[i + j] = _mm512_madd52lo_epu64(sums[i + j], a[i], a[j]);
            }
        }
        double(&mut sums);
        for i in 0..LIMBS {
            sums[2 * i] = _mm512_madd52lo_epu64(sums[2 * i], a[i], a[i]);
        }
        Products::fold(&sums)
    }

    /// `self` and so many times `other`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn plus_times(self, other: Self, factor: u32) -> Self {
        let factor = splat(factor.into());
        let mut sums = [_mm512_setzero_si512(); 2 * LIMBS];
        for (i, limb) in other.0.into_iter().enumerate() {
            sums[i + 1] = _mm512_madd52hi_epu64(sums[i + 1], limb, factor);
        }
        double(&mut sums);
        for (i, limb) in other.0.into_iter().enumerate() {
            sums[i] = _mm512_madd52lo_epu64(add(sums[i], self.0[i]), limb, factor);
        }
        Products::fold(&sums).carried()
    }

    /// Squares them so many times.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn squared_times(self, times: u32) -> Self {
        let mut power = self;
        for _ in 0..times {
            power = power.squared().carried();
        }
        power
    }

    /// The inverses, that is the powers p - 2; of zero, zero.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn inverted(self) -> Self {
        // The names say the power, or how many ones there are in the power's binary digits.
        let square = self.squared_times(1);
        let ninth = square.squared_times(2).times(self).carried();
        let eleventh = ninth.times(square).carried();
        let five = eleventh.squared_times(1).times(ninth).carried();
        let ten = five.squared_times(5).times(five).carried();
        let twenty = ten.squared_times(10).times(ten).carried();
        let forty = twenty.squared_times(20).times(twenty).carried();
        let fifty = forty.squared_times(10).times(ten).carried();
        let hundred = fifty.squared_times(50).times(fifty).carried();
        let two_hundred = hundred.squared_times(100).times(hundred).carried();
        let rest = two_hundred.squared_times(50).times(fifty).carried();
        rest.squared_times(5).times(eleventh).carried()
    }
}

impl From<Numbers> for Products {
    fn from(Numbers(limbs): Numbers) -> Self {
        Self(limbs)
    }
}

impl Products {
    /// Numbers of ten limbs: what is above 2^255 counts 19 times. Such a limb is at most 14 * 2^52,
    /// which makes less than 2^61 here.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn fold(sums: &[__m512i; 2 * LIMBS]) -> Self {
        Self(core::array::from_fn(|i| add(sums[i], _mm512_mullo_epi64(sums[i + LIMBS], splat(19)))))
    }

    /// Takes what is above bit 51 of each limb to the next, and from the last, 19 times, to the
    /// first: limbs of less than 2^63 come out below 2^51 + 2^17.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn carried(self) -> Numbers {
        let carries = self.0.map(|limb| _mm512_srli_epi64::<LIMB_BITS>(limb));
        let rest = self.0.map(|limb| _mm512_and_si512(limb, splat(LIMB)));
        Numbers([
            _mm512_madd52lo_epu64(rest[0], carries[4], splat(19)),
            add(rest[1], carries[0]),
            add(rest[2], carries[1]),
            add(rest[3], carries[2]),
            add(rest[4], carries[3]),
        ])
    }

    /// The sums.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn plus(self, other: Self) -> Numbers {
        Self(core::array::from_fn(|i| add(self.0[i], other.0[i]))).carried()
    }

    /// The differences.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn minus(self, other: Self) -> Numbers {
        // 2048 times p is added, limb by limb, so that none goes below zero.
        let enough = |i| splat(2048 * if i == 0 { LIMB - 18 } else { LIMB });
        Self(core::array::from_fn(|i| _mm512_sub_epi64(add(self.0[i], enough(i)), other.0[i])))
            .carried()
    }

    /// In the lanes whose bit is set `other`, in the others `self`.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn or_where(self, lanes: u8, other: Self) -> Self {
        Self(core::array::from_fn(|i| _mm512_mask_blend_epi64(lanes, self.0[i], other.0[i])))
    }
}

#[cfg(test)]
impl Products {
    /// Limbs as they stand.
    #[target_feature(enable = "avx512f")]
    pub(super) fn to_limbs(self) -> [[u64; LIMBS]; LANES] {
        let limbs = self.0.map(|limb| scatter(limb));
        core::array::from_fn(|lane| core::array::from_fn(|i| limbs[i][lane]))
    }
}

/// One number as bytes, fully reduced.
fn encode(mut limbs: [u64; LIMBS]) -> [u8; 32] {
    // After this the number is below 2^255 + 64, hence below 2 p.
    carry_through(&mut limbs);
    // Whether it is at least p: whether adding 19 reaches 2^255. Then that is what is left of it.
    let mut quotient = 19;
    for limb in limbs {
        quotient = (limb + quotient) >> LIMB_BITS;
    }
    limbs[0] += 19 * quotient;
    let mut carry = 0;
    for limb in &mut limbs {
        *limb += carry;
        carry = *limb >> LIMB_BITS;
        *limb &= LIMB;
    }
    let words = [
        limbs[0] | limbs[1] << 51,
        limbs[1] >> 13 | limbs[2] << 38,
        limbs[2] >> 26 | limbs[3] << 25,
        limbs[3] >> 39 | limbs[4] << 12,
    ];
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// Takes carries through all limbs, and once around.
fn carry_through(limbs: &mut [u64; LIMBS]) {
    let mut carry = 0;
    for limb in &mut *limbs {
        *limb += carry;
        carry = *limb >> LIMB_BITS;
        *limb &= LIMB;
    }
    limbs[0] += 19 * carry;
}
