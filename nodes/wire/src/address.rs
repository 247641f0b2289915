//! Addresses of nodes as packets carry them: one byte 4 or 6, the port (big-endian), the IP address.
//! The layout is that of Nym v0.5 to v0.7.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Bytes of the longest address: an IPv6 one.
pub const ADDRESS_BYTES: usize = 19;

/// Bytes of an address in a Sphinx header, zero-padded.
pub const PADDED_ADDRESS_BYTES: usize = 32;

/// Where a node takes packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeAddress(pub SocketAddr);

/// Bytes are not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The first byte is neither 4 nor 6.
    #[error("an address begins with {0}, which is neither 4 nor 6")]
    Family(u8),
    /// Too few bytes.
    #[error("an address has only {0} bytes")]
    TooShort(usize),
    /// Bytes after the address are not zero.
    #[error("an address is not padded with zeros")]
    Padding,
}

impl NodeAddress {
    /// The address, zero-padded to the length of the array: 19 in front of an acknowledgement, 32 in
    /// a Sphinx header.
    pub fn encode<const N: usize>(self) -> [u8; N] {
        const { assert!(N >= ADDRESS_BYTES) };
        let mut bytes = [0; N];
        bytes[1..3].copy_from_slice(&self.0.port().to_be_bytes());
        match self.0.ip() {
            IpAddr::V4(ip) => {
                bytes[0] = 4;
                bytes[3..7].copy_from_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                bytes[0] = 6;
                bytes[3..19].copy_from_slice(&ip.octets());
            }
        }
        bytes
    }

    /// The address without padding: 7 bytes, or 19 for IPv6.
    pub fn encode_unpadded(self) -> Vec<u8> {
        let bytes: [u8; ADDRESS_BYTES] = self.encode();
        let length = if self.0.is_ipv4() { 7 } else { ADDRESS_BYTES };
        bytes[..length].to_vec()
    }

    /// The address in front of these bytes; all after it must be zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, AddressError> {
        let (address, padding) = Self::split_from(bytes)?;
        if padding.iter().any(|&byte| byte != 0) {
            return Err(AddressError::Padding);
        }
        Ok(address)
    }

    /// The address in front of these bytes, and what follows it.
    pub fn split_from(bytes: &[u8]) -> Result<(Self, &[u8]), AddressError> {
        let too_short = AddressError::TooShort(bytes.len());
        let (&family, rest) = bytes.split_first().ok_or(too_short)?;
        if family != 4 && family != 6 {
            return Err(AddressError::Family(family));
        }
        let (port, rest) = rest.split_first_chunk::<2>().ok_or(too_short)?;
        let (ip, rest): (IpAddr, _) = if family == 4 {
            let (ip, rest) = rest.split_first_chunk::<4>().ok_or(too_short)?;
            (Ipv4Addr::from(*ip).into(), rest)
        } else {
            let (ip, rest) = rest.split_first_chunk::<16>().ok_or(too_short)?;
            (Ipv6Addr::from(*ip).into(), rest)
        };
        Ok((Self(SocketAddr::new(ip, u16::from_be_bytes(*port))), rest))
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golden_bytes() {
        let address = NodeAddress("127.0.0.1:9980".parse().expect("an address"));
        let bytes: [u8; ADDRESS_BYTES] = address.encode();
        assert_eq!(bytes[..8], [4, 0x26, 0xfc, 127, 0, 0, 1, 0]);
        let address = NodeAddress("[::1]:1789".parse().expect("an address"));
        let bytes: [u8; PADDED_ADDRESS_BYTES] = address.encode();
        assert_eq!(bytes[..3], [6, 0x06, 0xfd]);
        assert_eq!(bytes[18], 1);
        assert_eq!(bytes[19..], [0; 13]);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!(NodeAddress::decode(&[]), Err(AddressError::TooShort(0)));
        assert_eq!(NodeAddress::decode(&[4, 0, 1, 127, 0, 0]), Err(AddressError::TooShort(6)));
        assert_eq!(NodeAddress::decode(&[0; 19]), Err(AddressError::Family(0)));
        assert_eq!(NodeAddress::decode(&[4, 0, 1, 127, 0, 0, 1, 1]), Err(AddressError::Padding));
    }

    proptest! {
        #[test]
        fn every_address_survives(ip: [u8; 16], v4: bool, port: u16) {
            let ip = if v4 {
                IpAddr::from([ip[0], ip[1], ip[2], ip[3]])
            } else {
                IpAddr::from(ip)
            };
            let address = NodeAddress(SocketAddr::new(ip, port));
            prop_assert_eq!(NodeAddress::decode(&address.encode::<ADDRESS_BYTES>()), Ok(address));
            prop_assert_eq!(NodeAddress::decode(&address.encode::<PADDED_ADDRESS_BYTES>()), Ok(address));
        }

        #[test]
        fn any_bytes_are_an_address_or_an_error(bytes: Vec<u8>) {
            if let Ok(address) = NodeAddress::decode(&bytes) {
                prop_assert_eq!(&address.encode::<PADDED_ADDRESS_BYTES>()[..7], &bytes[..7]);
            }
        }
    }
}
