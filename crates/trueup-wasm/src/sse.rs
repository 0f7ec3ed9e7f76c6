//! Finds the snapshots in a stream of server-sent events as its bytes pass by.

use trueup_protocol::text;

/// A longer line carries no snapshot of ours: it is let pass unread.
const MAX_LINE: usize = 1 << 20;

const DATA: &[u8] = b"data:";
const EPOCH: &[u8] = b"\"epoch\"";

/// One stream, at any point of it. Chunks may be split at any byte.
#[derive(Debug, Default)]
pub struct Scanner {
    /// The beginning of a line whose end has not arrived.
    begun: Vec<u8>,
    /// The line under way is let pass.
    passing: bool,
}

impl Scanner {
    /// Takes in the next bytes, and gives the JSON of every event that may carry a snapshot.
    pub fn push(&mut self, bytes: &[u8], mut found: impl FnMut(&str)) {
        let mut lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
        let Some(mut line) = lines.next() else { return };
        for next in lines {
            // The usual line is whole, and is looked at where it is.
            if self.begun.is_empty() && !self.passing {
                examine(line, &mut found);
            } else {
                self.begin(line);
                examine(&self.begun, &mut found);
                self.begun.clear();
                self.passing = false;
            }
            line = next;
        }
        self.begin(line);
    }

    /// Whether the next bytes belong to a line that has begun.
    pub fn is_within_line(&self) -> bool {
        self.passing || !self.begun.is_empty()
    }

    fn begin(&mut self, part: &[u8]) {
        if self.passing {
            return;
        }
        self.begun.extend_from_slice(part);
        let known = self.begun.len().min(DATA.len());
        let other_field = self.begun.get(..known) != DATA.get(..known);
        if other_field || self.begun.len() > MAX_LINE {
            self.passing = true;
            self.begun = Vec::new();
        }
    }
}

fn examine(line: &[u8], found: &mut impl FnMut(&str)) {
    let Some(data) = line.strip_prefix(DATA) else { return };
    // A member of every snapshot. Within a JSON string its quotes would be escaped, so that no text
    // can fake it.
    if data.windows(EPOCH.len()).any(|part| part == EPOCH) {
        found(&text::letters(data));
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINE, Scanner};

    const CHUNK: &str = r#"{"choices":[],"trueup":{"epoch":"e"}}"#;

    fn scan(parts: &[&[u8]]) -> Vec<String> {
        let mut scanner = Scanner::default();
        let mut found = Vec::new();
        for part in parts {
            scanner.push(part, |json| found.push(json.trim().to_owned()));
        }
        found
    }

    #[test]
    fn a_snapshot_is_found_however_the_stream_is_split() {
        for end in ["\n", "\r\n", "\r"] {
            let stream = [
                "data: {\"choices\":[{\"delta\":{\"content\":\"say \\\"epoch\\\"\"}}]}",
                ": a comment with \"epoch\"",
                "event: x",
                "",
                &format!("data: {CHUNK}"),
                "",
                "data: [DONE]",
                "",
                "",
            ]
            .join(end);
            let bytes = stream.as_bytes();
            for at in 0..=bytes.len() {
                let (head, tail) = bytes.split_at(at);
                assert_eq!(scan(&[head, tail]), [CHUNK], "{end:?} split at {at}");
            }
            let single: Vec<_> = bytes.chunks(1).collect();
            assert_eq!(scan(&single), [CHUNK], "{end:?} byte by byte");
        }
    }

    #[test]
    fn an_error_within_the_stream_carries_a_snapshot_too() {
        let error = r#"{"error":{"code":"provider_failed"},"usage":{"epoch":"e"}}"#;
        assert_eq!(scan(&[format!("data:{error}\n").as_bytes()]), [error]);
        assert!(scan(&[b"data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n"]).is_empty());
    }

    #[test]
    fn an_unfinished_line_is_no_event() {
        assert!(scan(&[format!("data: {CHUNK}").as_bytes()]).is_empty());
    }

    #[test]
    fn an_endless_line_is_let_pass_and_the_next_one_is_read() {
        let endless = vec![b'x'; MAX_LINE + 1];
        let next = format!("\ndata: {CHUNK}\n");
        assert_eq!(scan(&[b"data: ", &endless, b"\"epoch\"", next.as_bytes()]), [CHUNK]);
    }

    #[test]
    fn whatever_is_not_ascii_is_let_through() {
        let found = scan(&[
            "data: {\"epoch\":{},\"text\":\"gr\u{fc}n\"}\n".as_bytes(),
            b"data: \"epoch\" \xff\n",
        ]);
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with(r#"{"epoch":{},"text":"gr"#));
        assert!(scan(&[b"", b"\n\n\r", b"\0"]).is_empty());
    }
}
