//! Many jobs over many hosts: one for each input or number, each at one host or at several that must agree.
//!
//! [`each`] and [`plan`] say which jobs there are; [`find`] and [`place`] which hosts; [`spread`] which host does which job
//! next; [`work`] takes one job along its way at one host; [`results`] and [`compare`] say what it all came to, and
//! [`state`] keeps that in a file. [`drive`] is the loop in the middle. What is pure (spread, place, compare, results,
//! plan) knows no clock, disk or network.
//!
//! A host is trusted no further than for a single job: each receipt is signed by the host that was asked, of the job that
//! was asked for. Whether what it signed is so is for replicas, and for `samebit verify`.

mod compare;
pub(crate) mod drive;
pub(crate) mod each;
pub(crate) mod find;
pub(crate) mod place;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod results;
pub(crate) mod spread;
pub(crate) mod state;
mod trouble;
pub(crate) mod view;
pub(crate) mod work;
