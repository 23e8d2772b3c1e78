//! Finds the hosts of an array: those that were named, and those that this user's own host has heard of.
//!
//! Each is asked what it is. Who cannot do the jobs, or does not answer, is left out with the reason. Who already has what
//! the jobs need is found out by proof: a host that has a blob can send its last bytes, and their place in its hash.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use samebit_net::message::{LocalRequest, LocalResponse, Provider};
use samebit_net::{Client, ClientError, Fetcher};
use samebit_runner::spec::{BlobRef, Hash, HostKey};

use super::place::{Place, rank, unable};
use super::plan::Plan;
use crate::remote::{Desk, Line};

/// The most hosts that are asked.
const HOSTS_MAX: usize = 256;
/// How many are asked at once.
const AT_ONCE: usize = 16;
/// Blobs below this size are fetched about as fast as they are asked for.
const ASKED_BYTES_MIN: u64 = 1 << 20;
/// The most inputs of single jobs that a host is asked for.
const INPUTS_ASKED_MAX: usize = 128;
/// How long a host may take over all of that.
const ASK_TIME: Duration = Duration::from_secs(10);

/// Hosts of an array.
#[derive(Default)]
pub(crate) struct Found {
    /// Who will be given jobs, the best first.
    pub(crate) places: Vec<Place>,
    /// The ways to them.
    pub(crate) lines: BTreeMap<HostKey, Line>,
    /// Which inputs of single jobs they have already.
    pub(crate) held: Vec<(HostKey, Hash)>,
    /// Who was left out, and why.
    pub(crate) left_out: Vec<(HostKey, String)>,
}

/// A host's answers.
struct Answers {
    place: Place,
    held: Vec<Hash>,
}

/// The hosts that this user's own host has heard of, and that could do the jobs by what they announce.
pub(crate) async fn heard(client: &Client, plan: &Plan) -> Result<Vec<Provider>, ClientError> {
    let (mut places, mut providers) = (Vec::new(), BTreeMap::new());
    let take = |answer| {
        if let LocalResponse::Peer { info, provider, .. } = answer
            && unable(&info, plan.common()).is_none()
        {
            providers.insert(info.host, provider);
            places.push(Place { info: *info, held_bytes: 0 });
        }
    };
    client.local(LocalRequest::Peers, take).await?;
    rank(&mut places);
    Ok(places.iter().filter_map(|place| providers.remove(&place.info.host)).collect())
}

/// The ways to hosts, each once. Not to this user's own, whose key this side has as well.
pub(crate) fn lines(desk: &Desk, providers: Vec<Provider>) -> Vec<Line> {
    let mut seen = BTreeSet::from([desk.node.key()]);
    providers.into_iter().filter(|provider| seen.insert(provider.host)).map(Line::remote).collect()
}

/// Asks hosts, the first ones if there are too many, and takes the `count_max` best of those that are able.
pub(crate) async fn find(desk: &Desk, plan: &Plan, lines: Vec<Line>, count_max: usize) -> Found {
    let asked = stream::iter(lines.into_iter().take(HOSTS_MAX)).map(|line| async move {
        let answers = ask(desk, plan, &line).await;
        let host = match &answers {
            Ok(answers) => answers.place.info.host,
            Err(_) => line.provider().map_or(desk.node.key(), |provider| provider.host),
        };
        (host, line, answers)
    });
    let answers: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    let mut found = Found::default();
    for (host, line, answers) in answers {
        match answers {
            Ok(Answers { place, held }) => {
                found.places.push(place);
                found.lines.insert(host, line);
                found.held.extend(held.into_iter().map(|hash| (host, hash)));
            }
            Err(why) => found.left_out.push((host, why)),
        }
    }
    rank(&mut found.places);
    for place in found.places.drain(count_max.min(found.places.len())..) {
        found.lines.remove(&place.info.host);
    }
    found
}

async fn ask(desk: &Desk, plan: &Plan, line: &Line) -> Result<Answers, String> {
    let info = async { line.client(desk).await?.info().await };
    let info = info.await.map_err(|error| error.to_string())?;
    if let Some(why) = unable(&info, plan.common()) {
        return Err(why);
    }
    let mut answers = Answers { place: Place { info, held_bytes: 0 }, held: Vec::new() };
    if let Some(provider) = line.provider() {
        // What was proven by then counts.
        let _ = tokio::time::timeout(ASK_TIME, prove(desk, plan, provider, &mut answers)).await;
    }
    Ok(answers)
}

/// Has a host prove what it has of the larger blobs.
async fn prove(desk: &Desk, plan: &Plan, provider: &Provider, answers: &mut Answers) {
    let fetcher = Fetcher::new(&desk.node, std::slice::from_ref(provider), u64::MAX);
    let large = |blob: &BlobRef| blob.size_bytes >= ASKED_BYTES_MIN;
    let common = plan.common();
    for blob in common.inputs.values().chain([&common.module]).filter(|blob| large(blob)) {
        if fetcher.prove((*blob).into()).await.is_ok() {
            answers.place.held_bytes = answers.place.held_bytes.saturating_add(blob.size_bytes);
        }
    }
    let own = (0..plan.len()).filter_map(|job| plan.entry(job).own.input()).filter(large).take(INPUTS_ASKED_MAX);
    for blob in own {
        if fetcher.prove(blob.into()).await.is_ok() {
            answers.held.push(blob.hash);
        }
    }
}
