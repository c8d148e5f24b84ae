//! The rules of the fake payments, free of any ABI concern.
//!
//! Nothing here depends on the clock, on chance or on the environment: the same calls in the same
//! order give the same codes, so that a test can state them in advance.

use std::collections::BTreeMap;
use std::fmt::Write;

/// A way to pay that the provider offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// The name a caller authorizes with.
    pub id: &'static str,
    /// The name a person reads.
    pub label: &'static str,
    /// The highest amount authorized, in minor units (cents).
    pub limit: u64,
}

/// Every method, in the order of [`list`].
///
/// The last one has a limit of zero, so that a caller can rehearse a decline at any amount.
pub const METHODS: [Method; 3] = [
    Method {
        id: "card",
        label: "Test card",
        limit: 500_000,
    },
    Method {
        id: "wallet",
        label: "Test wallet",
        limit: 10_000,
    },
    Method {
        id: "expired-card",
        label: "Expired test card",
        limit: 0,
    },
];

/// Why a payment did not go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No method has this id.
    UnknownMethod,
    /// The amount is zero.
    EmptyAmount,
    /// The amount is above the method's limit.
    Declined,
    /// No authorization has this code.
    UnknownCode,
    /// The authorization was completed before.
    AlreadyCompleted,
}

/// Whether an authorization still waits for its completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Completed,
}

/// The authorizations a provider has given out.
#[derive(Debug, Default)]
pub struct Payments {
    // Completed authorizations are kept, because a second completion must be told apart from an
    // unknown code.
    authorizations: BTreeMap<u64, State>,
}

impl Payments {
    /// Creates a provider that has authorized nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Authorizes `amount`, in minor units, and returns the authorization's code.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownMethod`], [`Refusal::EmptyAmount`] or [`Refusal::Declined`]. A refused
    /// call leaves no trace, so it does not change the codes that follow.
    pub fn authorize(&mut self, method: &str, amount: u64) -> Result<String, Refusal> {
        let method = METHODS
            .iter()
            .find(|known| known.id == method)
            .ok_or(Refusal::UnknownMethod)?;
        if amount == 0 {
            return Err(Refusal::EmptyAmount);
        }
        if amount > method.limit {
            return Err(Refusal::Declined);
        }
        let number = self.authorizations.len() as u64 + 1;
        self.authorizations.insert(number, State::Open);
        Ok(code(number))
    }

    /// Completes the authorization `code` and returns the transaction's id.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownCode`] or [`Refusal::AlreadyCompleted`].
    pub fn complete(&mut self, code: &str) -> Result<String, Refusal> {
        let number = number_of(code).ok_or(Refusal::UnknownCode)?;
        let state = self
            .authorizations
            .get_mut(&number)
            .ok_or(Refusal::UnknownCode)?;
        match state {
            State::Completed => Err(Refusal::AlreadyCompleted),
            State::Open => {
                *state = State::Completed;
                Ok(format!("TXN-{number:08}"))
            }
        }
    }
}

/// Lists the methods: one a line, with id, label and limit separated by tabs.
#[must_use]
pub fn list() -> String {
    METHODS.iter().fold(String::new(), |mut text, method| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}\t{}\t{}", method.id, method.label, method.limit);
        text
    })
}

/// Spells the code of the authorization `number`.
fn code(number: u64) -> String {
    format!("AUTH-{number:08}")
}

/// Reads an authorization's number back from its code.
///
/// Only the exact spelling counts: `AUTH-1` and `AUTH-+0000001` parse as numbers, but were never
/// given out.
fn number_of(text: &str) -> Option<u64> {
    let number = text.strip_prefix("AUTH-")?.parse().ok()?;
    (code(number) == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorizations_are_numbered_in_order() {
        let mut payments = Payments::new();
        assert_eq!(payments.authorize("card", 1), Ok("AUTH-00000001".into()));
        assert_eq!(payments.authorize("wallet", 1), Ok("AUTH-00000002".into()));
    }

    #[test]
    fn each_provider_counts_for_itself() {
        let code = Payments::new().authorize("card", 250);
        assert_eq!(Payments::new().authorize("card", 250), code);
    }

    #[test]
    fn a_limit_is_the_highest_amount_authorized() {
        for method in METHODS.iter().filter(|method| method.limit > 0) {
            let mut payments = Payments::new();
            assert!(payments.authorize(method.id, method.limit).is_ok());
            assert_eq!(
                payments.authorize(method.id, method.limit + 1),
                Err(Refusal::Declined)
            );
        }
    }

    #[test]
    fn the_largest_amount_is_declined() {
        let mut payments = Payments::new();
        assert_eq!(payments.authorize("card", u64::MAX), Err(Refusal::Declined));
    }

    #[test]
    fn an_expired_card_declines_the_smallest_amount() {
        let mut payments = Payments::new();
        assert_eq!(
            payments.authorize("expired-card", 1),
            Err(Refusal::Declined)
        );
    }

    #[test]
    fn an_amount_of_zero_is_refused() {
        let mut payments = Payments::new();
        assert_eq!(payments.authorize("card", 0), Err(Refusal::EmptyAmount));
    }

    #[test]
    fn a_method_is_known_by_its_exact_id() {
        for id in ["", "cash", "Card", "card "] {
            assert_eq!(
                Payments::new().authorize(id, 1),
                Err(Refusal::UnknownMethod),
                "{id:?}"
            );
        }
    }

    #[test]
    fn a_refused_authorization_takes_no_number() {
        let mut payments = Payments::new();
        assert!(payments.authorize("cash", 1).is_err());
        assert!(payments.authorize("expired-card", 1).is_err());
        assert_eq!(payments.authorize("card", 1), Ok("AUTH-00000001".into()));
    }

    #[test]
    fn completions_follow_codes_not_order() {
        let mut payments = Payments::new();
        let first = payments.authorize("card", 1).unwrap();
        let second = payments.authorize("card", 1).unwrap();
        assert_eq!(payments.complete(&second), Ok("TXN-00000002".into()));
        assert_eq!(payments.complete(&first), Ok("TXN-00000001".into()));
    }

    #[test]
    fn a_payment_completes_once() {
        let mut payments = Payments::new();
        let code = payments.authorize("card", 1).unwrap();
        assert!(payments.complete(&code).is_ok());
        assert_eq!(payments.complete(&code), Err(Refusal::AlreadyCompleted));
    }

    #[test]
    fn codes_never_given_out_are_unknown() {
        let mut payments = Payments::new();
        payments.authorize("card", 1).unwrap();
        for code in [
            "",
            "AUTH-",
            "AUTH-1",
            "AUTH-00000000",
            "AUTH-00000002",
            "AUTH-+0000001",
            "auth-00000001",
            "AUTH-00000001 ",
            "AUTH-99999999999999999999999",
            "TXN-00000001",
        ] {
            assert_eq!(
                payments.complete(code),
                Err(Refusal::UnknownCode),
                "{code:?}"
            );
        }
    }

    #[test]
    fn codes_read_back_as_their_numbers() {
        for number in [1, 99_999_999, 100_000_000, u64::MAX] {
            assert_eq!(number_of(&code(number)), Some(number));
        }
    }

    #[test]
    fn the_list_names_every_method_on_its_own_line() {
        assert_eq!(
            list(),
            "card\tTest card\t500000\n\
             wallet\tTest wallet\t10000\n\
             expired-card\tExpired test card\t0\n"
        );
    }
}
