//! How fast a path is sent on.
//!
//! CUBIC takes every loss for a full queue and collapses on paths that lose packets at random: 0.35 MiB/s at 40 ms and 1 %,
//! where BBR reaches 11.7. BBR measures how much a path delivers, which on a path of microseconds is how soon either end is
//! woken, and then keeps to that: over loopback it takes nearly twice as long as CUBIC. What a loss costs CUBIC grows with the
//! time there and back (the speed is about 1.22 packets / (time × √loss), Mathis et al. 1997: 18 MB/s at 1 ms and 1 %); so near
//! paths get CUBIC, and all others BBR.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use noq_proto::RttEstimator;
use noq_proto::congestion::{Bbr3Config, Controller, ControllerFactory, ControllerMetrics, CubicConfig};

/// The longest way there and back of a near path.
const NEAR: Duration = Duration::from_millis(2);

/// Makes a controller for each path.
#[derive(Debug)]
pub(super) struct ByDistance;

/// Both controllers, until the path is found to be near.
#[derive(Debug)]
struct Either {
    near: Box<dyn Controller>,
    /// Nothing once the path was found to be near: the shortest time there and back never grows.
    far: Option<Box<dyn Controller>>,
}

impl ControllerFactory for ByDistance {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        let far = Arc::new(Bbr3Config::default()).build(now, current_mtu);
        Box::new(Either { near: Arc::new(CubicConfig::default()).build(now, current_mtu), far: Some(far) })
    }
}

impl Either {
    fn used(&self) -> &dyn Controller {
        self.far.as_deref().unwrap_or(&*self.near)
    }

    fn tell(&mut self, mut tell: impl FnMut(&mut dyn Controller)) {
        tell(&mut *self.near);
        if let Some(far) = &mut self.far {
            tell(&mut **far);
        }
    }
}

impl Controller for Either {
    fn on_sent(&mut self, now: Instant, bytes: u64, largest_pn: u64) {
        self.tell(|controller| controller.on_sent(now, bytes, largest_pn));
    }

    fn on_packet_sent(&mut self, now: Instant, bytes: u16, pn: u64) {
        self.tell(|controller| controller.on_packet_sent(now, bytes, pn));
    }

    fn on_cwnd_limited(&mut self) {
        self.tell(|controller| controller.on_cwnd_limited());
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, pn: u64, app_limited: bool, rtt: &RttEstimator) {
        if rtt.min() <= NEAR {
            self.far = None;
        }
        self.tell(|controller| controller.on_ack(now, sent, bytes, pn, app_limited, rtt));
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, largest_packet_num_acked: Option<u64>) {
        self.tell(|controller| controller.on_end_acks(now, in_flight, app_limited, largest_packet_num_acked));
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        is_ecn: bool,
        lost_bytes: u64,
        largest_lost_pn: u64,
    ) {
        self.tell(|controller| {
            controller.on_congestion_event(now, sent, is_persistent_congestion, is_ecn, lost_bytes, largest_lost_pn);
        });
    }

    fn on_packet_lost(&mut self, lost_bytes: u16, pn: u64, now: Instant) {
        self.tell(|controller| controller.on_packet_lost(lost_bytes, pn, now));
    }

    fn on_spurious_congestion_event(&mut self) {
        self.tell(|controller| controller.on_spurious_congestion_event());
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.tell(|controller| controller.on_mtu_update(new_mtu));
    }

    fn on_ack_frequency_update(&mut self, ack_eliciting_threshold: u64, requested_max_ack_delay: Duration) {
        self.tell(|controller| controller.on_ack_frequency_update(ack_eliciting_threshold, requested_max_ack_delay));
    }

    fn window(&self) -> u64 {
        self.used().window()
    }

    fn metrics(&self) -> ControllerMetrics {
        self.used().metrics()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self { near: self.near.clone_box(), far: self.far.as_ref().map(|far| far.clone_box()) })
    }

    fn initial_window(&self) -> u64 {
        self.used().initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
