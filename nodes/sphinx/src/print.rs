//! How a packet looks on a link, in a few bytes: where tracing is on, nodes name packets by this.

use contract::Print;
use sha2::{Digest, Sha256};
use wire::HEADER_BYTES;

/// The print of a packet as it is on a link, or of a header that was prepared for one: what follows the
/// header does not count. Of fewer bytes than a header has, zeros stand for those that are missing
/// from the first.
pub fn print_of(packet: &[u8]) -> Print {
    let header = &packet[..packet.len().min(HEADER_BYTES)];
    let hash: [u8; 32] = Sha256::digest(header).into();
    let mut print = Print { header: [0; 8], first: [0; 16] };
    print.header.copy_from_slice(&hash[..8]);
    for (first, byte) in print.first.iter_mut().zip(header) {
        *first = *byte;
    }
    print
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash is that of `sha256sum` over 348 bytes of 0x07.
    #[test]
    fn the_header_decides_and_what_is_behind_it_does_not() {
        let header = [7; HEADER_BYTES];
        let print = print_of(&header);
        assert_eq!(print.to_string(), format!("8b0aca781dc17256{}", "07".repeat(16)));
        assert_eq!(print_of(&[&header[..], b"a payload"].concat()), print);
        for place in [0, 15, 16, HEADER_BYTES - 1] {
            let mut other = header;
            other[place] ^= 1;
            let other = print_of(&other);
            assert_ne!(other.header, print.header, "byte {place}");
            assert_eq!(other.first == print.first, place >= 16, "byte {place}");
        }
    }

    #[test]
    fn what_is_no_packet_has_a_print_too() {
        assert_eq!(print_of(&[9; 3]).first[..4], [9, 9, 9, 0]);
        assert_eq!(print_of(&[]).first, [0; 16]);
    }
}
