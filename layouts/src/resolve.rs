//! From a file and what flags say to a plan; and whether what they say fits together.

use std::collections::BTreeMap;

use contract::Role;
use serde::Deserialize as _;

use crate::fault::{LayoutFault, Wrong, nearest, shown};
use crate::file::{LayoutFile, NodeFile};
use crate::kinds::{Clients, Count, Time};
use crate::names::{CROWD, check_client_name};
use crate::value::Value;
use crate::variables::{Variables, fill};
use crate::{Layout, NodeLayout, Override, Plan, PlanError, Ports, Rates, Source};

/// The most names that a hint lists.
const MAX_LISTED: usize = 12;

/// What a layout comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// What the layout shows, in its own words.
    pub description: Option<String>,
    /// Every process with its name and its place.
    pub plan: Plan,
}

/// Puts a layout and what is said besides it together; later overrides win. Without a source it is what
/// `up` alone means.
pub fn resolve(
    source: Option<&Source>,
    overrides: &[Override],
    variables: Variables<'_>,
) -> Result<Resolved, LayoutFault> {
    let (name, text) = source.map_or(("layout", ""), |source| (source.name(), source.text()));
    let resolved = (|| {
        let mut value = if text.is_empty() { Value::empty() } else { Value::of_file(text)? };
        fill(&mut value, text, variables)?;
        for change in overrides {
            change.apply(&mut value)?;
        }
        let file = LayoutFile::deserialize(&value)?;
        Resolving { value: &value }.resolve(file)
    })();
    let mut resolved = resolved.map_err(|wrong: Wrong| wrong.fault(name, text))?;
    if let Some(source) = source {
        resolved.plan.files = source.files();
        resolved.plan.layout_dir = source.folder().map(Into::into);
    }
    Ok(resolved)
}

struct Resolving<'a> {
    /// For the places of what is wrong.
    value: &'a Value,
}

impl Resolving<'_> {
    /// Something is wrong with the field at this path.
    fn wrong(&self, path: &[&str], message: impl Into<String>) -> Wrong {
        let wrong = Wrong::other(message).at(self.value.place_of(path));
        path.iter().rev().fold(wrong, |wrong, key| wrong.below(key))
    }

    fn resolve(&self, file: LayoutFile) -> Result<Resolved, Wrong> {
        let ports = file.ports.map_or_else(Ports::default, |ports| ports.0);
        let description = file.description.clone();
        let nodes = file.nodes.clone().unwrap_or_default();
        let layout = self.layout(file)?;
        let mut plan = self.plan(layout, ports)?;
        if !nodes.is_empty() {
            for (name, node) in &nodes {
                self.check_node(name, node, &plan)?;
            }
            let nodes = nodes.into_iter().map(|(name, node)| (name, node.into())).collect();
            plan = self.plan(Layout { nodes, ..plan.layout }, ports)?;
        }
        Ok(Resolved { description, plan })
    }

    fn plan(&self, layout: Layout, ports: Ports) -> Result<Plan, Wrong> {
        Plan::new(layout, ports).map_err(|error| match error {
            PlanError::Ports { largest_base, .. } => self
                .wrong(&["ports"], error.to_string())
                .hint(format!("`base:{largest_base}` is the last that is possible")),
            PlanError::Layout(_) => Wrong::other(error.to_string()),
        })
    }

    fn layout(&self, file: LayoutFile) -> Result<Layout, Wrong> {
        let usual = Layout::default();
        let widths = match (&file.widths, file.width, file.layers) {
            (None, width, layers) => {
                let width = width.map_or(usual.widths[0], Count::as_u16);
                let layers = layers.map_or(usual.widths.len(), |layers| layers.as_u16().into());
                vec![width; layers]
            }
            (Some(_), Some(_), _) => return Err(self.both("width")),
            (Some(_), None, Some(_)) => return Err(self.both("layers")),
            (Some(widths), None, None) => widths.iter().copied().map(Count::as_u16).collect(),
        };
        let most = crate::MAX_LAYERS.into();
        if !(1..=most).contains(&widths.len()) {
            let found = widths.len();
            let message = format!("it has the widths of {found} layers, and must have 1 to {most}");
            return Err(self.wrong(&["widths"], message));
        }
        let profile = file.profile.unwrap_or_default();
        let of_profile = profile.rates();
        let (clients, client_names) = match file.clients {
            None => (usual.clients, Vec::new()),
            Some(Clients::Count(count)) => (count, Vec::new()),
            Some(Clients::Names(names)) => {
                self.check_names(&names)?;
                let count = u16::try_from(names.len()).expect("as many as there may be clients");
                (count, names)
            }
        };
        Ok(Layout {
            widths,
            providers: file.providers.map_or(usual.providers, Count::as_u16),
            clients,
            client_names,
            crowd: file.crowd.map_or_else(|| profile.crowd(), Count::as_u16),
            profile,
            rates: Rates {
                hop_delay: file.hop_delay.map_or(of_profile.hop_delay, Time::get),
                slot: file.slot.map_or(of_profile.slot, Time::get),
                loop_cover: file.loop_cover.map_or(of_profile.loop_cover, Time::get),
                slot_cover: of_profile.slot_cover,
            },
            acks: file.acks.unwrap_or(usual.acks),
            metrics: file.metrics.unwrap_or(usual.metrics),
            trace: file.trace.unwrap_or(usual.trace),
            faithful: file.faithful.unwrap_or(usual.faithful),
            restart: file.restart.unwrap_or(usual.restart),
            seed: file.seed.map(Count::get),
            nodes: BTreeMap::new(),
        })
    }

    fn both(&self, field: &str) -> Wrong {
        self.wrong(&[field], "`widths` says it too, and only one of them can stand")
            .hint(format!("leave out `widths` or `{field}`"))
    }

    fn check_names(&self, names: &[String]) -> Result<(), Wrong> {
        for (index, name) in names.iter().enumerate() {
            let wrong = |message: String| self.wrong(&["clients"], message);
            check_client_name(name).map_err(|error| {
                wrong(format!("\"{}\" cannot be a client: {error}", shown(name)))
            })?;
            if names[..index].contains(name) {
                return Err(wrong(format!("\"{name}\" stands there twice")));
            }
        }
        Ok(())
    }

    /// Whether a node exists, and what is said of it fits its role.
    fn check_node(&self, name: &str, node: &NodeFile, plan: &Plan) -> Result<(), Wrong> {
        let planned = plan.nodes.iter().find(|planned| planned.name == name);
        // A crowd of nobody is no process, and may become one while the devnet runs.
        let nobody = (name == CROWD).then_some(Role::Crowd);
        let Some(role) = planned.map(|planned| planned.role).or(nobody) else {
            let message = format!("this network has no node `{}`", shown(name));
            let names = || plan.nodes.iter().map(|node| node.name.as_str());
            let wrong = Wrong::other(message).at(self.value.place_of(&["nodes", name]));
            return Err(wrong.hint(one_of(name, names)));
        };
        let sends = matches!(role, Role::Client | Role::Crowd);
        let can_be_another = matches!(role, Role::Mixnode | Role::Provider | Role::Client);
        let fields = [
            ("hop-delay", node.hop_delay.is_some(), sends, "clients and the crowd have one"),
            ("slot", node.slot.is_some(), sends, "clients and the crowd have one"),
            ("loop-cover", node.loop_cover.is_some(), sends, "clients and the crowd have one"),
            ("provider", node.provider.is_some(), sends, "clients and the crowd have one"),
            ("metrics", node.metrics.is_some(), role == Role::Mixnode, "mixnodes report them"),
            (
                "command",
                node.command.is_some(),
                can_be_another,
                "mixnodes, providers and clients can have one",
            ),
        ];
        for (field, is_there, fits, who) in fields {
            if is_there && !fits {
                let message = format!("a {role} has none; {who}");
                return Err(self.wrong(&["nodes", name, field], message));
            }
            if is_there && field != "command" && node.command.is_some() {
                let message = "it has no effect on a node with a `command` of its own";
                return Err(self
                    .wrong(&["nodes", name, field], message)
                    .hint("let the command say it"));
            }
        }
        if let Some(provider) = &node.provider {
            let providers = || {
                let nodes = plan.nodes.iter().filter(|node| node.role == Role::Provider);
                nodes.map(|node| node.name.as_str())
            };
            if !providers().any(|name| name == provider) {
                let message = format!("there is no provider `{}`", shown(provider));
                return Err(self
                    .wrong(&["nodes", name, "provider"], message)
                    .hint(one_of(provider, providers)));
            }
        }
        self.check_environment(name, node)?;
        self.check_command(name, node)
    }

    fn check_environment(&self, name: &str, node: &NodeFile) -> Result<(), Wrong> {
        for (variable, value) in node.env.iter().flatten() {
            let wrong = |message: &str| self.wrong(&["nodes", name, "env", variable], message);
            if variable.is_empty() || variable.contains(['=', '\0']) {
                return Err(wrong("a variable has a name without `=` and zero bytes"));
            }
            if value.contains('\0') {
                return Err(wrong("a variable cannot hold a zero byte"));
            }
        }
        Ok(())
    }

    fn check_command(&self, name: &str, node: &NodeFile) -> Result<(), Wrong> {
        let Some(command) = &node.command else { return Ok(()) };
        let wrong = |message: &str| {
            self.wrong(&["nodes", name, "command"], message)
                .hint("write `command = [\"python3\", \"{layout_dir}/mixnode.py\"]`")
        };
        match command.first() {
            None => Err(wrong("the command is empty")),
            Some(program) if program.trim().is_empty() => {
                Err(wrong("the first word of the command, a program, is empty"))
            }
            _ if command.iter().any(|word| word.contains('\0')) => {
                Err(wrong("a word of a command cannot hold a zero byte"))
            }
            _ => Ok(()),
        }
    }
}

impl From<NodeFile> for NodeLayout {
    fn from(file: NodeFile) -> Self {
        Self {
            hop_delay: file.hop_delay.map(Time::get),
            slot: file.slot.map(Time::get),
            loop_cover: file.loop_cover.map(Time::get),
            provider: file.provider,
            metrics: file.metrics,
            restart: file.restart,
            env: file.env.unwrap_or_default(),
            command: file.command,
        }
    }
}

/// Which names there are, the nearest first.
fn one_of<'a, I: Iterator<Item = &'a str>>(found: &str, names: impl Fn() -> I) -> String {
    let mut list: Vec<String> = names().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
    if names().nth(MAX_LISTED).is_some() {
        list.push("…".into());
    }
    let list = list.join(", ");
    match nearest(found, names()) {
        Some(name) => format!("did you mean `{name}`? there are {list}"),
        None => format!("there are {list}"),
    }
}
