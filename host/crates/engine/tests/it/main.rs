//! What a module can do and what it cannot, tried with guests written for the purpose.

mod basics;
mod support;
