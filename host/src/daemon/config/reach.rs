//! Whom to speak to, from the words that flags and files have for it.

use samebit_net::{Dht, Reach, Relays};

use crate::error::Failure;

/// The word for what is everybody's.
const PUBLIC: &str = "public";

/// Reads what the flags `--offline`, `--relay`, `--mdns` and `--dht` say.
pub(crate) fn reach(offline: bool, relay: Vec<String>, mdns: bool, dht: Vec<String>) -> Result<Reach, Failure> {
    if !offline {
        return Ok(Reach::Network { relays: relays(relay)?, mdns, dht: table(dht)? });
    }
    if !relay.is_empty() || mdns || !dht.is_empty() {
        let why = "offline: relays, mDNS and the distributed hash table leave this machine; leave out one or the other";
        return Err(Failure::usage("config", why));
    }
    Ok(Reach::Offline)
}

fn relays(urls: Vec<String>) -> Result<Relays, Failure> {
    match urls.as_slice() {
        [] => return Ok(Relays::None),
        [one] if one == PUBLIC => return Ok(Relays::Public),
        _ => {}
    }
    let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    match urls.iter().find(|url| !is_web(url)) {
        Some(url) => Err(wrong(&format!("relay: {url:?} is no URL that begins with https:// or http://"))),
        None => Relays::custom(urls).map_err(|error| wrong(&error.to_string())),
    }
}

fn table(nodes: Vec<String>) -> Result<Dht, Failure> {
    match nodes.as_slice() {
        [] => return Ok(Dht::Off),
        [one] if one == PUBLIC => return Ok(Dht::Public),
        _ => {}
    }
    let is_node =
        |text: &str| text.rsplit_once(':').is_some_and(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok());
    match nodes.iter().find(|node| !is_node(node)) {
        Some(node) => Err(wrong(&format!("dht: {node:?} is neither NAME:PORT nor `{PUBLIC}`"))),
        None => Ok(Dht::Custom(nodes)),
    }
}

fn wrong(why: &str) -> Failure {
    Failure::usage("config", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn nothing_is_spoken_to_that_was_not_named() {
        let nothing = Reach::Network { relays: Relays::None, mdns: false, dht: Dht::Off };
        assert_eq!(reach(false, Vec::new(), false, Vec::new()).expect("nothing"), nothing);
        assert_eq!(reach(true, Vec::new(), false, Vec::new()).expect("offline"), Reach::Offline);
        for (relay, mdns, dht) in [(&["public"][..], false, &[][..]), (&[], true, &[]), (&[], false, &["public"])] {
            reach(true, texts(relay), mdns, texts(dht)).expect_err("offline is offline");
        }
    }

    #[test]
    fn what_is_public_is_asked_for_by_its_word() {
        let both = reach(false, texts(&["public"]), false, texts(&["public"])).expect("public");
        assert_eq!(both, Reach::Network { relays: Relays::Public, mdns: false, dht: Dht::Public });
        for dht in [&["public", "a:1"][..], &["a"], &[":1"], &["a:70000"]] {
            reach(false, Vec::new(), false, texts(dht)).expect_err("no node");
        }
        for relay in [&["public", "https://a"][..], &["a"], &["ftp://a"], &["https://"]] {
            reach(false, texts(relay), false, Vec::new()).expect_err("no relay");
        }
    }
}
