//! The steps of a message on its way, out of what is told of it from time to time.

use control::{MessageState, MessageStatus, PacketStatus};
use serde::Serialize;

/// Something that happened to a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Step {
    /// After it was accepted, in milliseconds. Of a packet it is when that was told.
    ms: f64,
    #[serde(flatten)]
    what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
enum What {
    Queued { packets: usize },
    PacketSent { packet: usize, packets: usize, attempt: u32, route: Vec<String> },
    PacketAcknowledged { packet: usize, packets: usize },
    Delivered,
    Acknowledged,
    Failed { reason: String },
}

/// What has happened since the message was in that state; all of it, if nothing was told before.
pub(super) fn steps(
    before: Option<&MessageStatus>,
    now: &MessageStatus,
    unix_ms: u64,
) -> Vec<Step> {
    let told = u32::try_from(unix_ms.saturating_sub(now.accepted_unix_ms)).unwrap_or(u32::MAX);
    let told = f64::from(told);
    let packets = now.packets.len();
    let mut steps = Vec::new();
    let mut add = |ms, what| steps.push(Step { ms, what });
    if before.is_none() {
        add(0.0, What::Queued { packets });
    }
    let untouched = PacketStatus::default();
    for (index, packet) in now.packets.iter().enumerate() {
        let before = before.and_then(|before| before.packets.get(index)).unwrap_or(&untouched);
        if packet.attempts > before.attempts {
            // The first of all has a time of its own.
            let is_first = index == 0 && packet.attempts == 1;
            let ms = now.sent_ms.filter(|_| is_first).unwrap_or(told);
            let (attempt, route) = (packet.attempts, packet.route.clone());
            add(ms, What::PacketSent { packet: index + 1, packets, attempt, route });
        }
        if packet.acknowledged && !before.acknowledged {
            add(told, What::PacketAcknowledged { packet: index + 1, packets });
        }
    }
    let is_new = |of: fn(&MessageStatus) -> Option<f64>| {
        of(now).filter(|_| before.is_none_or(|before| of(before).is_none()))
    };
    if let Some(ms) = is_new(|status| status.delivered_ms) {
        add(ms, What::Delivered);
    }
    if let Some(ms) = is_new(|status| status.acknowledged_ms) {
        add(ms, What::Acknowledged);
    }
    let had_failed = before.is_some_and(|before| before.state == MessageState::Failed);
    if now.state == MessageState::Failed && !had_failed {
        add(told, What::Failed { reason: now.error.clone().unwrap_or_default() });
    }
    steps
}

impl Step {
    /// `    0.512 s  packet 1 of 3 sent via mix-1-1 → mix-2-1`.
    pub(super) fn text(&self) -> String {
        let what = match &self.what {
            What::Queued { packets: 1 } => "queued as 1 packet".into(),
            What::Queued { packets } => format!("queued as {packets} packets"),
            What::PacketSent { packet, packets, attempt, route } => {
                let again = match attempt {
                    1 => String::new(),
                    attempt => format!(" for the {attempt}. time"),
                };
                format!("packet {packet} of {packets} sent{again} via {}", route.join(" → "))
            }
            What::PacketAcknowledged { packet, packets } => {
                format!("packet {packet} of {packets} acknowledged")
            }
            What::Delivered => "delivered".into(),
            What::Acknowledged => "acknowledged".into(),
            What::Failed { reason } => format!("failed: {reason}"),
        };
        format!("{:>9.3} s  {what}", self.ms / 1000.0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use contract::Content;

    use super::*;

    pub(crate) fn status(
        id: &str,
        state: MessageState,
        delivered_ms: Option<f64>,
    ) -> MessageStatus {
        MessageStatus {
            id: id.into(),
            from: "alice".into(),
            to: "bob".into(),
            content: Content::Text("x".into()),
            bytes: 1,
            state,
            accepted_unix_ms: 1000,
            sent_ms: None,
            delivered_ms,
            acknowledged_ms: None,
            packets: vec![PacketStatus::default(); 2],
            error: None,
        }
    }

    #[test]
    fn each_step_is_told_once_in_the_order_of_the_way() {
        let queued = status("m", MessageState::Queued, None);
        let mut sent = queued.clone();
        sent.sent_ms = Some(250.0);
        sent.state = MessageState::Sent;
        sent.packets[0].attempts = 1;
        sent.packets[0].route = vec!["mix-1-1".into(), "provider-1".into()];
        let mut again = sent.clone();
        again.packets[0].acknowledged = true;
        again.packets[1].attempts = 2;
        let mut done = again.clone();
        done.delivered_ms = Some(900.0);
        done.packets[1].acknowledged = true;
        done.acknowledged_ms = Some(1100.5);
        done.state = MessageState::Acknowledged;
        let text = |before: Option<&_>, now: &_, at| {
            steps(before, now, at).iter().map(Step::text).collect::<Vec<_>>()
        };
        assert_eq!(text(None, &queued, 1001), ["    0.000 s  queued as 2 packets"]);
        assert_eq!(
            text(Some(&queued), &sent, 1300),
            ["    0.250 s  packet 1 of 2 sent via mix-1-1 → provider-1"]
        );
        assert_eq!(text(Some(&sent), &sent, 1400), [] as [&str; 0]);
        assert_eq!(text(Some(&sent), &again, 1500).len(), 2);
        assert_eq!(
            text(Some(&again), &done, 2500),
            [
                "    1.500 s  packet 2 of 2 acknowledged",
                "    0.900 s  delivered",
                "    1.101 s  acknowledged",
            ]
        );
        assert_eq!(text(None, &done, 2500).len(), 7, "nothing is left out");
        let failed = MessageStatus {
            state: MessageState::Failed,
            error: Some("no route".into()),
            ..sent.clone()
        };
        assert_eq!(text(Some(&sent), &failed, 2000), ["    1.000 s  failed: no route"]);
        let step = &steps(Some(&sent), &failed, 2000)[0];
        let json = serde_json::to_string(step).expect("JSON");
        assert_eq!(json, r#"{"ms":1000.0,"step":"failed","reason":"no route"}"#);
    }
}
