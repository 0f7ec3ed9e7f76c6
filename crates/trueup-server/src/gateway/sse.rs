//! Server-sent events, as the WHATWG specifies them: reading a provider's, writing our own.

use std::collections::VecDeque;

use bytes::Bytes;

/// The data of the event that ends a chat stream.
pub const DONE: &[u8] = b"[DONE]";

/// An event's data, or one line, is longer than the reader keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {limit_bytes} bytes")]
pub struct EventTooLarge {
    /// The most that is kept.
    pub limit_bytes: usize,
}

/// Cuts a byte stream into events' data, however the bytes are split over reads. Comments and
/// fields other than `data` are dropped: a chat stream has no use for them.
#[derive(Debug)]
pub struct EventReader {
    limit_bytes: usize,
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    after_carriage_return: bool,
    at_start: bool,
    ready: VecDeque<Bytes>,
}

impl EventReader {
    /// A reader that refuses events longer than `limit_bytes`.
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            line: Vec::new(),
            data: None,
            after_carriage_return: false,
            at_start: true,
            ready: VecDeque::new(),
        }
    }

    /// Reads the next bytes of the stream.
    ///
    /// # Errors
    /// [`EventTooLarge`]; the reader is of no use afterwards.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), EventTooLarge> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_carriage_return) && first == b'\n' {
                bytes = bytes.split_at(1).1;
                continue;
            }
            let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                return self.keep(bytes);
            };
            let (line, rest) = bytes.split_at(end);
            self.keep(line)?;
            self.end_line()?;
            self.after_carriage_return = rest.first() == Some(&b'\r');
            bytes = rest.split_at(1).1;
        }
        Ok(())
    }

    /// The data of the next whole event, in the order of the stream.
    pub fn next_event(&mut self) -> Option<Bytes> {
        self.ready.pop_front()
    }

    /// The stream is over. An event whose closing blank line is missing counts as whole: some
    /// providers end right after `data: [DONE]`.
    ///
    /// # Errors
    /// [`EventTooLarge`], as [`EventReader::feed`].
    pub fn end(&mut self) -> Result<(), EventTooLarge> {
        if !self.line.is_empty() {
            self.end_line()?;
        }
        self.dispatch();
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), EventTooLarge> {
        self.check(self.line.len() + bytes.len())?;
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), EventTooLarge> {
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.at_start) && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(..3);
        }
        if line.is_empty() {
            self.dispatch();
        } else if let Some(value) = data_of(&line) {
            let kept = self.data.as_ref().map_or(0, Vec::len);
            self.check(kept + value.len())?;
            match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            }
        }
        line.clear();
        self.line = line;
        Ok(())
    }

    fn dispatch(&mut self) {
        if let Some(data) = self.data.take().filter(|data| !data.is_empty()) {
            self.ready.push_back(data.into());
        }
    }

    fn check(&self, length: usize) -> Result<(), EventTooLarge> {
        if length > self.limit_bytes {
            return Err(EventTooLarge { limit_bytes: self.limit_bytes });
        }
        Ok(())
    }
}

fn data_of(line: &[u8]) -> Option<&[u8]> {
    let value = line.strip_prefix(b"data")?;
    match value.strip_prefix(b":") {
        Some(value) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        None => value.is_empty().then_some(value),
    }
}

/// Writes `data` as one event.
pub fn write_event(data: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(data.len() + 8);
    for line in data.split(|byte| *byte == b'\n') {
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(line);
        event.push(b'\n');
    }
    event.push(b'\n');
    event.into()
}

#[cfg(test)]
mod tests {
    use super::{EventReader, EventTooLarge, write_event};
    use proptest::prelude::*;

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let mut reader = EventReader::new(1024);
        for piece in pieces {
            reader.feed(piece).unwrap();
        }
        reader.end().unwrap();
        std::iter::from_fn(|| reader.next_event())
            .map(|data| String::from_utf8(data.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        let cases: &[(&str, &[&str])] = &[
            ("data: a\n\ndata: b\n\n", &["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            ("data:a\n\n", &["a"]),
            ("data:  a\n\n", &[" a"]),
            ("data: a\ndata: b\n\n", &["a\nb"]),
            ("data\ndata: b\n\n", &["\nb"]),
            ("data\n\n", &[]),
            (": keep-alive\n\ndata: a\n\n", &["a"]),
            ("event: x\nid: 7\nretry: 9\ndata: a\n\n", &["a"]),
            ("database: a\n\n", &[]),
            ("\u{feff}data: a\n\n", &["a"]),
            ("\n\n\ndata: a\n\n\n\n", &["a"]),
            ("data: [DONE]", &["[DONE]"]),
            ("data: [DONE]\n", &["[DONE]"]),
            ("", &[]),
        ];
        for (stream, events) in cases {
            assert_eq!(read(&[stream.as_bytes()]), *events, "{stream:?}");
        }
    }

    #[test]
    fn an_event_that_does_not_fit_in_memory_is_refused() {
        for (stream, fits) in [
            ("data: 123456\n\n", true),
            ("data: 1234567", false),
            ("data: 123\ndata: 456789\ndata: 0123\n", false),
            (": 0123456789012", false),
        ] {
            let mut reader = EventReader::new(12);
            let expected = if fits { Ok(()) } else { Err(EventTooLarge { limit_bytes: 12 }) };
            assert_eq!(reader.feed(stream.as_bytes()), expected, "{stream}");
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_stream_is_split(
            lines in prop::collection::vec(
                prop::sample::select(vec!["data: a", "data:", "data", "", ": c", "data: é{}"]), 0..12),
            ends in prop::collection::vec(prop::sample::select(vec!["\n", "\r\n", "\r"]), 12),
            cuts in prop::collection::vec(0_usize..64, 0..6),
        ) {
            let stream: Vec<u8> =
                lines.iter().zip(&ends).flat_map(|(line, end)| [*line, *end]).collect::<String>().into();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([stream.len()]) {
                pieces.push(&stream[from..cut]);
                from = cut;
            }
            prop_assert_eq!(read(&pieces), read(&[&stream]));
        }

        #[test]
        fn what_is_written_is_read_back(data in "[^\r]{1,40}") {
            prop_assume!(!data.is_empty());
            prop_assert_eq!(read(&[&write_event(data.as_bytes())]), vec![data]);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = EventReader::new(64);
            let _ = reader.feed(&bytes).and_then(|()| reader.end());
        }
    }
}
