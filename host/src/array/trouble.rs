//! What a host's error means for the array: whether to try it again, elsewhere, or not at all.

use samebit_net::ClientError;
use samebit_net::message::rule;

use super::spread::Trouble;
use crate::daemon::policy::rule as policy;

/// Rules by which a host has no room now, and may have some later.
const FULL: [&str; 11] = [
    rule::BUSY,
    rule::RATE,
    rule::CONNECTIONS,
    rule::STOPPING,
    policy::HOST_QUEUED,
    policy::PEER_QUEUED,
    policy::PEER_INPUT_BYTES,
    policy::PEER_FUEL,
    policy::PEER_GPU_TIME,
    policy::HOST_DISK_FREE,
    policy::HOST_DISK_QUOTA,
];
/// What rules begin with by which a host takes no job of an array: those have submitter, module and limits in common.
const UNABLE: [&str; 5] = ["submitters.", "authors.", "modules.", policy::JOB_LIMITS, policy::HOST_MEMORY];

impl Trouble {
    /// What an error means.
    pub(crate) fn of(error: &ClientError) -> Self {
        let ClientError::Refused(refusal) = error else { return Self::Gone };
        let rule = refusal.rule.as_str();
        if FULL.contains(&rule) {
            Self::Full
        } else if UNABLE.iter().any(|unable| rule.starts_with(unable)) {
            Self::Unable
        } else {
            Self::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use samebit_net::message::Refusal;

    use super::*;

    #[test]
    fn a_refusal_is_as_bad_as_its_rule() {
        let of = |rule: &str| Trouble::of(&ClientError::Refused(Refusal::new(rule, "no")));
        assert_eq!(["host.busy", "peer.queued", "peer.gpu-time-per-hour"].map(of), [Trouble::Full; 3]);
        assert_eq!(["submitters.allow", "modules.deny", "job.limits.fuel"].map(of), [Trouble::Unable; 3]);
        assert_eq!(["job.input-bytes", "host.internal", "what.ever"].map(of), [Trouble::Failed; 3]);
        assert_eq!(Trouble::of(&ClientError::TimedOut(30)), Trouble::Gone);
    }
}
