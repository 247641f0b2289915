//! Short answers in one piece.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes up to which pieces are copied together. Head and body of every answer but the topology and
/// pages.
const SHORT: usize = 1 << 10;

/// A stream that writes several short pieces as one. Handing the system a list of two costs it more
/// than the copy.
pub(crate) struct Gather<S>(pub(crate) S);

impl<S: AsyncWrite + Unpin> AsyncWrite for Gather<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.get_mut().0);
        let mut whole = [0; SHORT];
        let mut length = 0;
        for piece in pieces {
            let Some(place) = whole.get_mut(length..length + piece.len()) else {
                return stream.poll_write_vectored(cx, pieces);
            };
            place.copy_from_slice(piece);
            length += piece.len();
        }
        stream.poll_write(cx, &whole[..length])
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gather<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// Whatever the lengths, the same bytes come out.
    #[tokio::test]
    async fn pieces_come_out_as_they_went_in() {
        for lengths in [[1, 2, 3], [SHORT - 2, 1, 1], [SHORT, 1, 0], [0, 5 * SHORT, 7]] {
            let pieces =
                lengths.map(|length| vec![u8::try_from(length % 251).expect("small"); length]);
            let (stream, mut other) = duplex(64 << 10);
            let mut stream = Gather(stream);
            let mut left: Vec<IoSlice<'_>> =
                pieces.iter().map(|piece| IoSlice::new(piece)).collect();
            let mut left = left.as_mut_slice();
            while left.iter().any(|piece| !piece.is_empty()) {
                let written = stream.write_vectored(left).await.expect("room");
                IoSlice::advance_slices(&mut left, written);
            }
            drop(stream);
            let mut came = Vec::new();
            other.read_to_end(&mut came).await.expect("an end");
            assert_eq!(came, pieces.concat(), "{lengths:?}");
        }
    }
}
