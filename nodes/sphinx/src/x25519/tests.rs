//! Both arithmetics against x25519-dalek and the vectors of RFC 7748.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use x25519_dalek::x25519;

use super::{LANES, Portable, X25519, fastest};

/// Whether this processor has AVX-512 IFMA. Says so when it has not: then only the portable
/// arithmetic was tested.
fn has_ifma() -> bool {
    #[cfg(target_arch = "x86_64")]
    let present = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512ifma");
    #[cfg(not(target_arch = "x86_64"))]
    let present = false;
    if !present {
        println!("no AVX-512 IFMA here: only the portable arithmetic was tested");
    }
    present
}

fn both() -> [&'static dyn X25519; 2] {
    has_ifma();
    [fastest(), &Portable]
}

fn random(rng: &mut StdRng) -> [u8; 32] {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A number of 256 bits whose inner bytes are all the same.
fn number(lowest: u8, inner: u8, highest: u8) -> [u8; 32] {
    let mut bytes = [inner; 32];
    bytes[0] = lowest;
    bytes[31] = highest;
    bytes
}

fn hex(text: &str) -> [u8; 32] {
    let digit = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex");
    std::array::from_fn(digit)
}

/// Multiplies with one arithmetic and compares each product with dalek's.
fn compare(arithmetic: &dyn X25519, scalars: &[[u8; 32]], points: &[[u8; 32]]) {
    let mut products = points.to_vec();
    arithmetic.multiply(scalars, &mut products);
    for (lane, product) in products.iter().enumerate() {
        let (scalar, point) = (scalars[lane], points[lane]);
        let (name, fill) = (arithmetic.name(), points.len());
        assert_eq!(
            *product,
            x25519(scalar, point),
            "{name}, lane {lane} of {fill}: {scalar:02x?} times {point:02x?}"
        );
    }
}

#[test]
fn the_fastest_is_what_the_processor_allows() {
    let expected = if has_ifma() { "AVX-512 IFMA" } else { "portable" };
    assert_eq!(fastest().name(), expected);
}

#[test]
fn random_points_in_every_lane_and_number() {
    let rng = &mut StdRng::seed_from_u64(1);
    for arithmetic in both() {
        for _ in 0..200 {
            // Half of all numbers are points of the curve's twist, half have the topmost bit set.
            for fill in 0..=LANES {
                let scalars: Vec<_> = (0..fill).map(|_| random(rng)).collect();
                let points: Vec<_> = (0..fill).map(|_| random(rng)).collect();
                compare(arithmetic, &scalars, &points);
            }
        }
    }
}

#[test]
fn points_and_scalars_at_the_edges() {
    let rng = &mut StdRng::seed_from_u64(2);
    let mut points = vec![
        // Of order 8; the other points of low order are 0, 1 and p - 1.
        hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        number(9, 0, 0),
        // 2^254 - 1, 2^255 - 1
        number(0xff, 0xff, 0x3f),
        number(0xff, 0xff, 0x7f),
    ];
    points.extend((0..5).map(|low| number(low, 0, 0)));
    // From p - 2 to p + 3; what is not below p names a smaller number.
    points.extend((0xeb..=0xf0).map(|low| number(low, 0xff, 0x7f)));
    // One bit at the edge of each limb, and all bits below it.
    for bit in [50, 51, 52, 101, 102, 103, 152, 153, 154, 203, 204, 205, 253, 254] {
        let mut bytes = [0; 32];
        bytes[bit / 8] = 1 << (bit % 8);
        points.push(bytes);
        bytes[..bit / 8].fill(0xff);
        bytes[bit / 8] = (1 << (bit % 8)) - 1;
        points.push(bytes);
    }
    let with_top_bit = points.clone().into_iter().map(|mut point| {
        point[31] |= 0x80;
        point
    });
    points.extend(with_top_bit.collect::<Vec<_>>());
    let scalars = [
        [0; 32],
        [0xff; 32],
        number(1, 0, 0),
        number(8, 0, 0),
        number(0, 0, 0x80),
        // The order of the curve's large group, and eight times it.
        hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"),
        hex("689faee7d21893c0b2e6bc17f5cef7a600000000000000000000000000000080"),
        random(rng),
    ];
    for arithmetic in both() {
        for scalar in scalars {
            // Each point comes in each lane, beside other points.
            for first in 0..points.len() {
                let batch: Vec<_> =
                    points.iter().cycle().skip(first).take(LANES).copied().collect();
                compare(arithmetic, &[scalar; LANES], &batch);
            }
        }
        for point in &points {
            compare(arithmetic, &scalars, &[*point; LANES]);
        }
    }
}

#[test]
fn the_vectors_of_rfc_7748() {
    let vectors = [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
    ];
    for arithmetic in both() {
        for (scalar, point, product) in vectors {
            let mut points = [hex(point); LANES];
            arithmetic.multiply(&[hex(scalar); LANES], &mut points);
            assert_eq!(points, [hex(product); LANES]);
        }
        // The product is the next scalar, the scalar the next point.
        let mut scalars = [number(9, 0, 0); LANES];
        let mut points = scalars;
        for round in 1..=1000 {
            let old = scalars;
            arithmetic.multiply(&scalars, &mut points);
            (scalars, points) = (points, old);
            let expected = match round {
                1 => "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
                1000 => "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
                _ => continue,
            };
            assert_eq!(scalars, [hex(expected); LANES], "round {round}");
        }
    }
}
