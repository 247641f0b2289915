//! The field against schoolbook arithmetic, with limbs as large as they may be.

use proptest::prelude::*;

use super::field::{LIMBS, Numbers, Products};
use super::{A24, Ifma, LANES};

type Limbs = [[u64; LIMBS]; LANES];

/// What is calculated with.
#[derive(Clone, Debug)]
pub(super) struct Input {
    /// Limbs below 2^52.
    a: Limbs,
    b: Limbs,
    /// Limbs below 2^61.
    wide_a: Limbs,
    wide_b: Limbs,
    bytes: [[u8; 32]; LANES],
}

/// What comes out.
pub(super) struct Output {
    product: Limbs,
    square: Limbs,
    plus_times: Limbs,
    inverse: Limbs,
    carried: Limbs,
    sum: Limbs,
    difference: Limbs,
    chosen: Limbs,
    read: Limbs,
    written: [[u8; 32]; LANES],
}

/// Every operation once.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn calculate(input: &Input) -> Output {
    let (a, b) = (Numbers::from_limbs(&input.a), Numbers::from_limbs(&input.b));
    let wide_a = Products::from(Numbers::from_limbs(&input.wide_a));
    let wide_b = Products::from(Numbers::from_limbs(&input.wide_b));
    Output {
        product: a.times(b).to_limbs(),
        square: a.squared().to_limbs(),
        plus_times: a.plus_times(b, A24).to_limbs(),
        inverse: a.inverted().to_limbs(),
        carried: wide_a.carried().to_limbs(),
        sum: wide_a.plus(wide_b).to_limbs(),
        difference: wide_a.minus(wide_b).to_limbs(),
        chosen: wide_a.or_where(CHOSEN, wide_b).to_limbs(),
        read: Numbers::from_bytes(&input.bytes).to_limbs(),
        written: a.to_bytes(),
    }
}

/// Lanes 0, 3 and 6.
const CHOSEN: u8 = 0b100_1001;

/// A number of 256 bits, lowest word first.
type Words = [u64; 4];

/// 2^255 - 19, and one less.
const P: Words = [u64::MAX - 18, u64::MAX, u64::MAX, u64::MAX >> 1];
const P_LESS_1: Words = [u64::MAX - 19, u64::MAX, u64::MAX, u64::MAX >> 1];

/// `a` times `b` plus `c`, modulo p.
fn multiply_add(a: Words, b: Words, c: Words) -> Words {
    let mut words = [c[0], c[1], c[2], c[3], 0, 0, 0, 0];
    for i in 0..4 {
        add_times(&mut words[i..i + 5], a[i], b);
    }
    // 2^256 is 38 modulo p.
    while words[4..] != [0; 4] {
        let high = [words[4], words[5], words[6], words[7]];
        words[4..].fill(0);
        add_times(&mut words[..5], 38, high);
    }
    let mut low = [words[0], words[1], words[2], words[3]];
    while low.iter().rev().ge(P.iter().rev()) {
        let mut borrow = false;
        for (word, p) in low.iter_mut().zip(P) {
            let (first, below) = word.overflowing_sub(p);
            let (second, again) = first.overflowing_sub(borrow.into());
            (*word, borrow) = (second, below || again);
        }
    }
    low
}

/// Adds `factor` times `number` to five words, of which the topmost is 0.
fn add_times(words: &mut [u64], factor: u64, number: Words) {
    let mut carry = 0;
    for (word, digit) in words.iter_mut().zip(number) {
        let sum = u128::from(*word) + u128::from(factor) * u128::from(digit) + carry;
        *word = u64::try_from(sum & u128::from(u64::MAX)).expect("masked");
        carry = sum >> 64;
    }
    words[4] = u64::try_from(carry).expect("the product of two words and two more fit into two");
}

fn value(limbs: &[u64; LIMBS]) -> Words {
    let shift = [1 << 51, 0, 0, 0];
    let more = |value, &limb: &u64| multiply_add(value, shift, [limb, 0, 0, 0]);
    limbs.iter().rev().fold([0; 4], more)
}

fn words(bytes: &[u8; 32]) -> Words {
    std::array::from_fn(|i| u64::from_le_bytes(*bytes[8 * i..].first_chunk().expect("eight bytes")))
}

/// Limbs of so many bits, many of them at an edge.
fn limbs(bits: u32) -> impl Strategy<Value = Limbs> {
    let top = (1_u64 << bits) - 1;
    let edges =
        [0, 1, 18, 19, (1 << 51) - 20, (1 << 51) - 19, (1 << 51) - 1, 1 << 51, top - 1, top];
    let limb = prop_oneof![3 => prop::sample::select(edges.to_vec()), 1 => 0..=top];
    prop::array::uniform8(prop::array::uniform5(limb))
}

/// Every limb is below so many bits, and every lane has this value.
fn check(found: &Limbs, bits: u32, expected: impl Fn(usize) -> Words) -> Result<(), TestCaseError> {
    for (lane, limbs) in found.iter().enumerate() {
        prop_assert!(limbs.iter().all(|limb| limb >> bits == 0), "lane {}: {:x?}", lane, limbs);
        prop_assert_eq!(value(limbs), expected(lane), "lane {}", lane);
    }
    Ok(())
}

fn input() -> impl Strategy<Value = Input> {
    let bytes = any::<[[u8; 32]; LANES]>();
    (limbs(52), limbs(52), limbs(61), limbs(61), bytes)
        .prop_map(|(a, b, wide_a, wide_b, bytes)| Input { a, b, wide_a, wide_b, bytes })
}

proptest! {
    #[test]
    fn the_field_calculates_as_in_school(input in input()) {
        let Some(ifma) = Ifma::detect() else {
            println!("no AVX-512 IFMA here: its field was not tested");
            return Ok(());
        };
        let found = Ifma::calculate(ifma, &input);
        let zero = [0; 4];
        let small = |number: u32| [number.into(), 0, 0, 0];
        let a = |lane| value(&input.a[lane]);
        let b = |lane| value(&input.b[lane]);
        let wide_a = |lane| value(&input.wide_a[lane]);
        let wide_b = |lane| value(&input.wide_b[lane]);
        check(&found.product, 61, |lane| multiply_add(a(lane), b(lane), zero))?;
        check(&found.square, 61, |lane| multiply_add(a(lane), a(lane), zero))?;
        check(&found.plus_times, 52, |lane| multiply_add(b(lane), small(A24), a(lane)))?;
        check(&found.carried, 52, wide_a)?;
        check(&found.sum, 52, |lane| multiply_add(wide_a(lane), small(1), wide_b(lane)))?;
        check(&found.difference, 52, |lane| multiply_add(wide_b(lane), P_LESS_1, wide_a(lane)))?;
        check(&found.chosen, 61, |lane| if lane % 3 == 0 { wide_b(lane) } else { wide_a(lane) })?;
        for lane in 0..LANES {
            prop_assert_eq!(words(&found.written[lane]), a(lane), "lane {}", lane);
            let inverse = value(&found.inverse[lane]);
            let expected = small(u32::from(a(lane) != zero));
            prop_assert_eq!(multiply_add(inverse, a(lane), zero), expected, "lane {}", lane);
        }
        let mut read = input.bytes;
        for bytes in &mut read {
            bytes[31] &= 0x7f;
        }
        check(&found.read, 51, |lane| multiply_add(words(&read[lane]), small(1), zero))?;
    }
}
