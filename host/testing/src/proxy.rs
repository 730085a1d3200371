//! A proxy on the loopback interface that makes tunnels (`CONNECT`), to whom has the right login.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;

use crate::tls::Background;

const MAX_HEAD: usize = 16 << 10;

/// The proxy. Dropping it stops it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    tunnels: Arc<Mutex<Vec<String>>>,
    _task: Background,
}

impl Proxy {
    /// Starts on a free port. `login` is the value of `Proxy-Authorization` that is asked for.
    pub fn start(login: Option<&str>) -> Result<Self> {
        Self::serving(login, None)
    }

    /// Starts a proxy whose tunnels all lead to `HOST:PORT`, whatever server is asked for.
    pub fn leading_to(place: &str) -> Result<Self> {
        Self::serving(None, Some(place.to_owned()))
    }

    fn serving(login: Option<&str>, place: Option<String>) -> Result<Self> {
        let tunnels = Arc::<Mutex<Vec<String>>>::default();
        let (login, made) = (login.map(str::to_owned), tunnels.clone());
        let (address, task) = Background::start("proxy", move |client| {
            let (login, made, place) = (login.clone(), made.clone(), place.clone());
            serve(client, login, made, place)
        })?;
        Ok(Self {
            address,
            tunnels,
            _task: task,
        })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where tunnels led, in order.
    pub fn tunnels(&self) -> Vec<String> {
        let tunnels = self.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
        tunnels.clone()
    }
}

async fn serve(
    mut client: TcpStream,
    login: Option<String>,
    made: Arc<Mutex<Vec<String>>>,
    place: Option<String>,
) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < MAX_HEAD, "a request that does not end");
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    let (Some("CONNECT"), Some(target)) = (words.next(), words.next()) else {
        client
            .write_all(b"HTTP/1.1 405 -\r\nContent-Length: 0\r\n\r\n")
            .await?;
        bail!("not a tunnel: {first}");
    };
    let given = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization")
            .then(|| value.trim().to_owned())
    });
    if login.is_some() && given != login {
        let refusal = b"HTTP/1.1 407 -\r\nProxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n\r\n";
        client.write_all(refusal).await?;
        return Ok(());
    }
    let mut server = TcpStream::connect(place.as_deref().unwrap_or(target))
        .await
        .with_context(|| format!("reaching {target}"))?;
    made.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(target.to_owned());
    client.write_all(b"HTTP/1.1 200 -\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
