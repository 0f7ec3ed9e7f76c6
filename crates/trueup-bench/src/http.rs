//! A lean HTTP/1.1 client: one connection, one request at a time, and nothing but what the servers
//! here answer with. What it costs is taken from the servers that share the machine with it.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Room for a head and a snapshot.
const INBOX: usize = 8 * 1024;

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    inbox: Vec<u8>,
}

/// What was answered.
pub struct Reply<'a> {
    pub status: u16,
    pub head: &'a [u8],
    pub body: &'a [u8],
}

impl Reply<'_> {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, inbox: Vec::with_capacity(INBOX) })
    }

    /// Sends a request and waits for its answer.
    pub async fn call(&mut self, request: &str) -> Result<Reply<'_>> {
        self.send(request).await?;
        self.receive().await
    }

    pub async fn send(&mut self, request: &str) -> Result<()> {
        self.stream.write_all(request.as_bytes()).await
    }

    pub async fn receive(&mut self) -> Result<Reply<'_>> {
        self.inbox.clear();
        let head = loop {
            self.fill().await?;
            if let Some(head) = Head::read(&self.inbox)? {
                break head;
            }
        };
        while self.inbox.len() < head.length + head.body {
            self.fill().await?;
        }
        let (top, body) = self.inbox.split_at_checked(head.length).unwrap_or_default();
        Ok(Reply { status: head.status, head: top, body })
    }

    /// What has arrived, for answers that never end.
    pub async fn next_bytes(&mut self) -> Result<&[u8]> {
        self.inbox.clear();
        self.fill().await?;
        Ok(&self.inbox)
    }

    async fn fill(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.inbox).await? {
            0 => Err(Error::new(ErrorKind::UnexpectedEof, "the server hung up")),
            _ => Ok(()),
        }
    }
}

struct Head {
    length: usize,
    body: usize,
    status: u16,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else { return Ok(None) };
        let odd = || Error::new(ErrorKind::InvalidData, "an answer has no status or no length");
        let status = bytes.get(9..12).and_then(|it| std::str::from_utf8(it).ok());
        let status: u16 = status.and_then(|it| it.parse().ok()).ok_or_else(odd)?;
        let head = bytes.get(..end).unwrap_or_default();
        let length = header(head, "content-length").and_then(|it| it.parse().ok());
        let body = if matches!(status, 204 | 304) { Some(0) } else { length };
        Ok(Some(Self { length: end + 4, body: body.ok_or_else(odd)?, status }))
    }
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (key, value) = line.split_at_checked(name.len())?;
        let value =
            value.strip_prefix(b":").filter(|_| key.eq_ignore_ascii_case(name.as_bytes()))?;
        std::str::from_utf8(value).ok().map(str::trim)
    })
}

/// A request with a JSON body, from a backend with `key`.
pub fn post(path: &str, key: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// A request without a body; `headers` are whole lines.
pub fn get(path: &str, key: &str, headers: &[String]) -> String {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n{headers}\r\n")
}

#[cfg(test)]
mod tests {
    use super::Head;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let whole = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello";
        assert!(Head::read(&whole[..30]).unwrap().is_none());
        let head = Head::read(whole).unwrap().unwrap();
        assert_eq!((head.status, head.body, head.length), (201, 5, whole.len() - 5));
        assert_eq!(Head::read(b"HTTP/1.1 304 x\r\n\r\n").unwrap().unwrap().body, 0);
        assert!(Head::read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
