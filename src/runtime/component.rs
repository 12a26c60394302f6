//! A connection to the host server: how it is opened and authenticated, and how it can fail (XEP-0114).

use super::framer::{Frame, Framer, NotXmpp, StanzaLimits};
use super::handover::Held;
use crate::config::{Config, Secret};
use crate::xmpp::Parts;
use minidom::Element;
use std::io;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xmpp_parsers::component::Handshake;

const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// How much of a stream error's condition or text is reported, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// Why there is no link, or no link any more.
#[derive(Debug, Error)]
pub enum LinkError {
    /// No connection could be made.
    #[error("no connection: {0}")]
    Unreachable(io::Error),
    /// Connecting and authenticating took too long.
    #[error("no answer in time while connecting and authenticating")]
    ConnectTimeout,
    /// `not-authorized`, which ejabberd says of an unknown domain as well.
    #[error("the host server refuses the secret, or does not know this domain")]
    WrongSecret,
    /// `host-unknown`
    #[error("the host server knows no component of this domain")]
    UnknownDomain,
    /// `conflict`
    #[error("the host server has another connection for this domain")]
    Conflict,
    /// Any other stream error: condition and text.
    #[error("the host server ended the stream: {0}")]
    StreamError(String),
    /// The stream was ended without an error.
    #[error("the host server closed the link")]
    Closed,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Lost(io::Error),
    /// The peer does not speak XMPP.
    #[error("{0}")]
    NotXmpp(#[from] NotXmpp),
    /// The host server was silent and answered no ping.
    #[error("the host server has gone silent and does not answer a ping")]
    Dead,
    /// Pings were answered on this link, and no longer are.
    #[error("the host server no longer answers pings behind what is sent to it")]
    Mute,
    /// The host server does not read what is written.
    #[error("the host server does not read what is sent to it")]
    Stalled,
}

impl LinkError {
    /// What the operator can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            LinkError::Unreachable(_) => {
                "check that the host server runs and listens for components at component.host and component.port"
            }
            LinkError::ConnectTimeout => {
                "check component.host and component.port, a firewall between, and that the port is the one for components"
            }
            LinkError::WrongSecret => {
                "give component.secret the value of component_secret (Prosody) or of password (ejabberd), and check that \
                 the host server names component.domain"
            }
            LinkError::UnknownDomain => {
                "name the component in the host server (Prosody: Component, ejabberd: hosts of ejabberd_service), and check \
                 that the port is the one for components"
            }
            LinkError::Conflict => "stop the other process that serves this domain",
            LinkError::StreamError(_) | LinkError::NotXmpp(_) => {
                "check that the port is the one for components, and look into the host server's log"
            }
            LinkError::Closed | LinkError::Lost(_) | LinkError::Dead | LinkError::Mute | LinkError::Stalled => {
                "look into the host server's log if this goes on"
            }
        }
    }

    /// Reads a `<stream:error/>`.
    pub fn from_stream_error(bytes: &[u8]) -> LinkError {
        let text = String::from_utf8_lossy(bytes);
        let whole = format!("<w xmlns='' xmlns:stream='http://etherx.jabber.org/streams'>{text}</w>");
        let tree = whole.parse::<Element>().ok();
        let error = tree.as_ref().and_then(|tree| tree.parts().next());
        let find = |is_text: bool| {
            error.and_then(|it| it.parts().find(|c| c.has_ns(STREAM_ERRORS) && (c.name() == "text") == is_text))
        };
        let condition = find(false).map_or("undefined-condition", Element::name);
        match condition {
            "not-authorized" => LinkError::WrongSecret,
            "host-unknown" => LinkError::UnknownDomain,
            "conflict" => LinkError::Conflict,
            _ => {
                let said = find(true).map(Element::text).unwrap_or_default();
                let said = if said.is_empty() { condition.to_owned() } else { format!("{condition} ({said})") };
                LinkError::StreamError(said.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect())
            }
        }
    }
}

/// Which host server to connect to, and as which component.
#[derive(Clone, Debug)]
pub struct Address {
    domain: String,
    host: String,
    port: u16,
    secret: Secret,
    timeout: Duration,
}

impl Address {
    /// The address in the settings.
    pub fn new(config: &Config, secret: Secret) -> Address {
        let component = &config.component;
        Address {
            domain: component.domain.to_string(),
            host: component.host.clone(),
            port: component.port,
            secret,
            timeout: Duration::from_secs(component.connect_timeout_s),
        }
    }
}

/// Connects and authenticates. What the host server sent behind its `<handshake/>` goes through the framer to `early`,
/// frame by frame.
///
/// # Errors
/// [`LinkError`]: why there is no link.
pub async fn connect(
    address: &Address,
    limits: StanzaLimits,
    early: &mut Vec<Held>,
) -> Result<(TcpStream, Framer), LinkError> {
    let attempt = async {
        let mut tcp = TcpStream::connect((&*address.host, address.port)).await.map_err(LinkError::Unreachable)?;
        tcp.set_nodelay(true).map_err(LinkError::Lost)?;
        let framer = authenticate(&mut tcp, address, limits, early).await?;
        Ok((tcp, framer))
    };
    tokio::time::timeout(address.timeout, attempt).await.unwrap_or(Err(LinkError::ConnectTimeout))
}

async fn authenticate(
    tcp: &mut TcpStream,
    address: &Address,
    limits: StanzaLimits,
    early: &mut Vec<Held>,
) -> Result<Framer, LinkError> {
    let mut domain = String::new();
    crate::xmpp::escape_into(&address.domain, &mut domain);
    let header = format!(
        "<?xml version='1.0'?><stream:stream xmlns='{}' xmlns:stream='http://etherx.jabber.org/streams' to='{domain}'>",
        crate::xmpp::ns::COMPONENT
    );
    tcp.write_all(header.as_bytes()).await.map_err(LinkError::Lost)?;
    let mut framer = Framer::new(limits);
    let mut buffer = vec![0; 4096];
    loop {
        let read = tcp.read(&mut buffer).await.map_err(LinkError::Lost)?;
        if read == 0 {
            return Err(LinkError::Closed);
        }
        let (mut authenticated, mut failed, mut answer) = (false, None, None);
        framer.feed(&buffer[..read], |frame| match frame {
            Frame::Header(tag) => answer = Some(handshake(tag, &address.secret)),
            Frame::Handshake => authenticated = true,
            Frame::StreamError(bytes) => failed = failed.take().or(Some(LinkError::from_stream_error(bytes))),
            Frame::End => failed = failed.take().or(Some(LinkError::Closed)),
            Frame::Stanza(bytes) if authenticated => early.push(Held::Stanza(bytes.to_vec())),
            Frame::Stanza(_) | Frame::Oversize(..) => {}
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(answer) = answer {
            // A host server that has already refused may have closed its end. Its reason is still to be read.
            let _ = tcp.write_all(answer?.as_bytes()).await;
        }
        if authenticated {
            return Ok(framer);
        }
    }
}

/// The handshake that answers a stream header (XEP-0114 §3).
fn handshake(header: &[u8], secret: &Secret) -> Result<String, LinkError> {
    let bad = || LinkError::NotXmpp(NotXmpp("the host server's stream header cannot be read"));
    let text = std::str::from_utf8(header).map_err(|_| bad())?;
    let name = text[1..].split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or_default();
    let element: Element = format!("{text}</{name}>").parse().map_err(|_| bad())?;
    let id = element.attr("id").unwrap_or_default().to_owned();
    let digest = Handshake::from_stream_id_and_password(id, secret.reveal()).data.unwrap_or_default();
    Ok(format!("<handshake>{}</handshake>", hex::encode(digest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_errors_are_told_apart() {
        let error = |inner: &str| {
            LinkError::from_stream_error(format!("<stream:error>{inner}</stream:error>").as_bytes()).to_string()
        };
        let condition = |name: &str| error(&format!("<{name} xmlns='{STREAM_ERRORS}'/>"));
        assert_eq!(condition("not-authorized"), LinkError::WrongSecret.to_string());
        assert_eq!(condition("host-unknown"), LinkError::UnknownDomain.to_string());
        assert_eq!(condition("conflict"), LinkError::Conflict.to_string());
        let text = format!("<reset xmlns='{STREAM_ERRORS}'/><text xmlns='{STREAM_ERRORS}'>by\nme</text>");
        assert_eq!(error(&text), "the host server ended the stream: reset (byme)");
        assert!(error("<broken").contains("undefined-condition"));
    }
}
