//! Room for the packets that wait in a node: in its pool, and for their links.

use wire::WireProfile;

/// Most packets that wait in a node at once.
///
/// Their room is asked of the system in one piece, whose pages are taken when they are first written.
/// It is just over 32 MiB for a reason: so much, and only so much, an allocator always gives back when
/// it is freed.
pub const MAX_FRAMES: usize = 14_000;

/// Pages that were written and are not needed any more are given back when there are so many packets'
/// worth of them: 2.5 MB.
const IDLE_FRAMES: usize = 1024;

const _: () = assert!(
    MAX_FRAMES * WireProfile::CURRENT.frame_bytes() > 32 << 20,
    "an allocator may keep it when it is freed"
);

const WORD_BITS: usize = u64::BITS as usize;

/// A packet in a [`FrameStore`], which must get it back: what is merely dropped keeps its room.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "its room is not free until it is released"]
pub struct Frame(usize);

/// Holds packets with the flag byte of their frame in front, as they are written to a link.
///
/// The lowest free room is taken first, so that what is in use lies together and the rest can be given
/// back after a burst.
#[derive(Debug)]
pub struct FrameStore {
    profile: WireProfile,
    /// Empty until the first packet comes.
    bytes: Vec<u8>,
    /// A bit for each room that is taken.
    taken: [u64; MAX_FRAMES.div_ceil(WORD_BITS)],
    /// All words before this one are full.
    lowest: usize,
    /// Rooms up to this one were written since the memory was last given back.
    written: usize,
    used: usize,
}

impl FrameStore {
    /// A store of packets of this format.
    pub fn new(profile: WireProfile) -> Self {
        let taken = [0; MAX_FRAMES.div_ceil(WORD_BITS)];
        Self { profile, bytes: Vec::new(), taken, lowest: 0, written: 0, used: 0 }
    }

    /// The format of its packets.
    pub fn profile(&self) -> WireProfile {
        self.profile
    }

    /// Copies a packet in; none if [`MAX_FRAMES`] are there.
    pub fn put(&mut self, packet: &[u8]) -> Option<Frame> {
        debug_assert_eq!(packet.len(), self.profile.packet_bytes(), "all packets have one length");
        let full = |word: &&u64| **word == u64::MAX;
        self.lowest += self.taken[self.lowest..].iter().take_while(full).count();
        let bit = self.taken.get(self.lowest)?.trailing_ones() as usize;
        let index = self.lowest * WORD_BITS + bit;
        if index >= MAX_FRAMES {
            return None;
        }
        if self.bytes.is_empty() {
            self.bytes = vec![0; MAX_FRAMES * self.profile.frame_bytes()];
        }
        self.taken[self.lowest] |= 1 << bit;
        self.used += 1;
        self.written = self.written.max(index + 1);
        let begin = index * self.profile.frame_bytes();
        self.bytes[begin] = self.profile.flag;
        self.bytes[begin + 1..][..packet.len()].copy_from_slice(packet);
        Some(Frame(index))
    }

    /// Whether no more packets go in.
    pub fn is_full(&self) -> bool {
        self.used == MAX_FRAMES
    }

    /// The frame: its flag, then the packet.
    pub fn bytes(&self, frame: &Frame) -> &[u8] {
        let bytes = self.profile.frame_bytes();
        &self.bytes[frame.0 * bytes..][..bytes]
    }

    /// The packet, behind its flag, to be changed.
    pub(crate) fn packet_mut(&mut self, frame: &Frame) -> &mut [u8] {
        let bytes = self.profile.frame_bytes();
        &mut self.bytes[frame.0 * bytes..][1..bytes]
    }

    /// Frees the room of a packet.
    #[expect(clippy::needless_pass_by_value, reason = "it must not be used again")]
    pub fn release(&mut self, frame: Frame) {
        let (word, bit) = (frame.0 / WORD_BITS, frame.0 % WORD_BITS);
        debug_assert!(self.taken[word] & (1 << bit) != 0, "a frame is released once");
        self.taken[word] &= !(1 << bit);
        self.lowest = self.lowest.min(word);
        self.used -= 1;
    }

    /// Packets that are there.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Gives memory back that a burst has left. Costs nothing if there is little; to be called now and
    /// then.
    pub fn give_back(&mut self) {
        let last = self.taken.iter().rposition(|&word| word != 0);
        let needed = last.map_or(0, |word| {
            word * WORD_BITS + WORD_BITS - self.taken[word].leading_zeros() as usize
        });
        // What is kept is there twice for a moment, so it has to be the smaller part.
        if self.written - needed > IDLE_FRAMES && needed <= self.written / 4 {
            let kept = needed * self.profile.frame_bytes();
            let before = std::mem::take(&mut self.bytes);
            if kept > 0 {
                self.bytes = vec![0; before.len()];
                self.bytes[..kept].copy_from_slice(&before[..kept]);
            }
            self.written = needed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: WireProfile = WireProfile { flag: 4, payload_bytes: 52 };

    fn packet(number: usize) -> Vec<u8> {
        let mut packet = vec![0; SMALL.packet_bytes()];
        packet[..8].copy_from_slice(&number.to_be_bytes());
        packet
    }

    #[test]
    fn packets_keep_apart_and_what_a_burst_took_is_given_back() {
        let mut store = FrameStore::new(SMALL);
        let mut frames: Vec<Frame> =
            (0..MAX_FRAMES).map(|number| store.put(&packet(number)).expect("room")).collect();
        assert_eq!(store.put(&packet(0)), None, "it is full");
        assert_eq!(store.used(), MAX_FRAMES);
        for (number, frame) in frames.iter().enumerate() {
            assert_eq!(store.bytes(frame)[0], SMALL.flag);
            assert_eq!(store.bytes(frame)[1..], packet(number));
        }
        // All but two leave, in any order. The one that is high up holds everything.
        let high = frames.swap_remove(MAX_FRAMES / 2);
        let kept = frames.swap_remove(MAX_FRAMES / 5);
        for frame in frames {
            store.release(frame);
        }
        store.give_back();
        assert_eq!(store.written, MAX_FRAMES);
        store.release(high);
        store.give_back();
        assert_eq!(store.written, MAX_FRAMES / 5 + 1);
        assert_eq!(store.bytes(&kept)[1..], packet(MAX_FRAMES / 5));
        // The next comes first, so that the other half can go as soon as the one is gone.
        let low = store.put(&packet(7)).expect("room");
        assert_eq!(low, Frame(0));
        store.release(kept);
        store.give_back();
        assert_eq!((store.written, store.used()), (1, 1));
        assert_eq!(store.bytes(&low)[1..], packet(7));
    }
}
