//! Metrics that are looked up rather than counted: a family is made when somebody asks.

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

/// What a family measures.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// It only grows, until the directory starts anew.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Name and help of a family, and the names of its labels.
pub(super) struct Family<const LABELS: usize> {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) labels: [&'static str; LABELS],
}

impl<const LABELS: usize> Family<LABELS> {
    /// The family with these samples: the values of their labels, and their own.
    pub(super) fn of<'a>(
        self,
        samples: impl IntoIterator<Item = ([&'a str; LABELS], f64)>,
    ) -> MetricFamily {
        let mut family = MetricFamily::default();
        family.set_name(self.name.into());
        family.set_help(self.help.into());
        family.set_field_type(match self.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
        });
        let samples = samples.into_iter().map(|(values, value)| {
            let labels = self.labels.into_iter().zip(values).map(|(name, value)| {
                let mut label = LabelPair::default();
                label.set_name(name.into());
                label.set_value(value.into());
                label
            });
            let mut sample = Metric::from_label(labels.collect());
            match self.kind {
                Kind::Counter => {
                    let mut counter = Counter::default();
                    counter.set_value(value);
                    sample.set_counter(counter);
                }
                Kind::Gauge => {
                    let mut gauge = Gauge::default();
                    gauge.set_value(value);
                    sample.set_gauge(gauge);
                }
            }
            sample
        });
        family.set_metric(samples.collect());
        family
    }
}

/// A count as Prometheus has it: beyond 2⁵³ its last digits are lost.
#[expect(clippy::cast_precision_loss, reason = "the format knows no other numbers")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}
