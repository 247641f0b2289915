//! The topology as a picture: for people, for Graphviz and for Mermaid.
//!
//! Nodes are named as they announced themselves, which can be anything: no name breaks the syntax.

use std::fmt::Write as _;

use control::visible;

use super::{Place, Places};

/// Who hangs on whom.
pub(super) fn tree(places: &Places, devnet: &str) -> String {
    let mut branches = Vec::new();
    for (layer, nodes) in &places.layers {
        let leaves = nodes.iter().map(|node| shown(node, width(nodes)));
        branches.push((format!("layer {layer}"), leaves.collect()));
    }
    for (provider, clients) in &places.providers {
        let clients = clients.iter().map(|client| visible(client)).collect();
        branches.push((shown(provider, 0), clients));
    }
    if !places.elsewhere.is_empty() {
        let clients = places.elsewhere.iter().map(|client| visible(client)).collect();
        branches.push(("no provider yet".into(), clients));
    }
    let mut text = visible(devnet);
    for (index, (branch, leaves)) in branches.iter().enumerate() {
        let is_last = index + 1 == branches.len();
        let leaves: &Vec<String> = leaves;
        // Writing into a string cannot fail.
        let _ = write!(text, "\n{} {branch}", if is_last { "└─" } else { "├─" });
        for (index, leaf) in leaves.iter().enumerate() {
            let trunk = if is_last { "   " } else { "│  " };
            let twig = if index + 1 == leaves.len() { "└─" } else { "├─" };
            let _ = write!(text, "\n{trunk}{twig} {leaf}");
        }
    }
    text
}

fn width(nodes: &[Place]) -> usize {
    nodes.iter().map(|node| visible(&node.name).chars().count()).max().unwrap_or_default()
}

fn shown(place: &Place, width: usize) -> String {
    format!("{:<width$}  {}", visible(&place.name), visible(&place.host))
}

/// A column of a picture: nodes that every node of the column before sends to.
struct Column {
    title: String,
    nodes: Vec<(String, String)>,
}

/// Clients, layers, providers, with an identifier of our own for each node.
fn columns(places: &Places) -> (Vec<Column>, Vec<(String, String)>) {
    let mut ids = (0_usize..).map(|index| format!("n{index}"));
    let mut id = || ids.next().unwrap_or_default();
    let mut columns = Vec::new();
    for (layer, nodes) in &places.layers {
        let nodes = nodes.iter().map(|node| (id(), node.name.clone())).collect();
        columns.push(Column { title: format!("layer {layer}"), nodes });
    }
    let mut providers = Column { title: "providers".into(), nodes: Vec::new() };
    let mut clients = Column { title: "clients".into(), nodes: Vec::new() };
    let mut mailboxes = Vec::new();
    for (provider, of_provider) in &places.providers {
        let of = id();
        for client in of_provider {
            let client = (id(), client.clone());
            mailboxes.push((of.clone(), client.0.clone()));
            clients.nodes.push(client);
        }
        providers.nodes.push((of, provider.name.clone()));
    }
    clients.nodes.extend(places.elsewhere.iter().map(|client| (id(), client.clone())));
    columns.push(providers);
    columns.insert(0, clients);
    columns.retain(|column| !column.nodes.is_empty());
    (columns, mailboxes)
}

/// The language of Graphviz: <https://graphviz.org/doc/info/lang.html>. Packets go from left to right;
/// a dashed line is a mailbox.
pub(super) fn dot(places: &Places, devnet: &str) -> String {
    let quoted = |text: &str| {
        let text = visible(text).replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{text}\"")
    };
    let (columns, mailboxes) = columns(places);
    let mut text = format!("digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n", quoted(devnet));
    // Writing into a string cannot fail.
    for (index, column) in columns.iter().enumerate() {
        let title = quoted(&column.title);
        let _ = writeln!(text, "  subgraph cluster_{index} {{\n    label={title};");
        for (id, name) in &column.nodes {
            let _ = writeln!(text, "    {id} [label={}];", quoted(name));
        }
        text.push_str("  }\n");
    }
    let ids = |column: &Column| {
        column.nodes.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(" ")
    };
    for pair in columns.windows(2) {
        let _ = writeln!(text, "  {{{}}} -> {{{}}};", ids(&pair[0]), ids(&pair[1]));
    }
    for (provider, client) in &mailboxes {
        let _ = writeln!(text, "  {provider} -> {client} [style=dashed, constraint=false];");
    }
    text + "}"
}

/// A flowchart of Mermaid: <https://mermaid.js.org/syntax/flowchart.html>. Its columns are linked as a
/// whole, for it refuses more than 500 links.
pub(super) fn mermaid(places: &Places) -> String {
    // Anything that is not plain stands as its number, which Mermaid shows as the character.
    let quoted = |text: &str| {
        let mut escaped = String::with_capacity(text.len());
        for c in visible(text).chars() {
            match c {
                c if c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ':' | ',') => {
                    escaped.push(c);
                }
                c => {
                    let _ = write!(escaped, "#{};", u32::from(c));
                }
            }
        }
        format!("\"{escaped}\"")
    };
    let (columns, mailboxes) = columns(places);
    let mut text = "flowchart LR".to_owned();
    for (index, column) in columns.iter().enumerate() {
        let _ = write!(text, "\n  subgraph g{index} [{}]", quoted(&column.title));
        for (id, name) in &column.nodes {
            let _ = write!(text, "\n    {id}[{}]", quoted(name));
        }
        text.push_str("\n  end");
    }
    for index in 1..columns.len() {
        let _ = write!(text, "\n  g{} --> g{index}", index - 1);
    }
    for (provider, client) in &mailboxes {
        let _ = write!(text, "\n  {provider} -.-> {client}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> Place {
        Place { name: name.into(), host: "127.0.0.1:9980".into() }
    }

    fn places() -> Places {
        Places {
            layers: [
                (1, vec![place("mix-1-1"), place("mix-1-2")]),
                (2, vec![place("\"]; end -->\n\\ %% `x` <b>#35; größer\u{1b}")]),
            ]
            .into(),
            providers: vec![(place("provider-1"), vec!["alice".into(), "bob".into()])],
            elsewhere: vec!["carol".into()],
        }
    }

    #[test]
    fn people_see_who_hangs_on_whom() {
        insta::assert_snapshot!(tree(&places(), "t1"), @r##"
        t1
        ├─ layer 1
        │  ├─ mix-1-1  127.0.0.1:9980
        │  └─ mix-1-2  127.0.0.1:9980
        ├─ layer 2
        │  └─ "]; end -->␊\ %% `x` <b>#35; größer␛  127.0.0.1:9980
        ├─ provider-1  127.0.0.1:9980
        │  ├─ alice
        │  └─ bob
        └─ no provider yet
           └─ carol
        "##);
    }

    #[test]
    fn no_name_breaks_the_syntax_of_graphviz() {
        let text = dot(&places(), "a \"devnet\"");
        insta::assert_snapshot!(text, @r##"
        digraph "a \"devnet\"" {
          rankdir=LR;
          node [shape=box];
          subgraph cluster_0 {
            label="clients";
            n4 [label="alice"];
            n5 [label="bob"];
            n6 [label="carol"];
          }
          subgraph cluster_1 {
            label="layer 1";
            n0 [label="mix-1-1"];
            n1 [label="mix-1-2"];
          }
          subgraph cluster_2 {
            label="layer 2";
            n2 [label="\"]; end -->␊\\ %% `x` <b>#35; größer␛"];
          }
          subgraph cluster_3 {
            label="providers";
            n3 [label="provider-1"];
          }
          {n4 n5 n6} -> {n0 n1};
          {n0 n1} -> {n2};
          {n2} -> {n3};
          n3 -> n4 [style=dashed, constraint=false];
          n3 -> n5 [style=dashed, constraint=false];
        }
        "##);
        for line in text.lines() {
            // What is outside of quotes is ours.
            let mut outside = String::new();
            let mut quoted = false;
            let mut chars = line.chars();
            while let Some(c) = chars.next() {
                match c {
                    '\\' if quoted => drop(chars.next()),
                    '"' => quoted = !quoted,
                    c if !quoted => outside.push(c),
                    _ => {}
                }
            }
            assert!(!quoted, "{line}");
            assert!(!outside.contains("end") && outside.is_ascii(), "{line}");
        }
    }

    #[test]
    fn no_name_breaks_the_syntax_of_mermaid() {
        let text = mermaid(&places());
        insta::assert_snapshot!(text, @r##"
        flowchart LR
          subgraph g0 ["clients"]
            n4["alice"]
            n5["bob"]
            n6["carol"]
          end
          subgraph g1 ["layer 1"]
            n0["mix-1-1"]
            n1["mix-1-2"]
          end
          subgraph g2 ["layer 2"]
            n2["#34;#93;#59; end --#62;#9226;#92; #37;#37; #96;x#96; #60;b#62;#35;35#59; größer#9243;"]
          end
          subgraph g3 ["providers"]
            n3["provider-1"]
          end
          g0 --> g1
          g1 --> g2
          g2 --> g3
          n3 -.-> n4
          n3 -.-> n5
        "##);
        for line in text.lines() {
            assert!(matches!(line.matches('"').count(), 0 | 2), "{line}");
            let inside = line.split('"').nth(1).unwrap_or_default();
            assert!(!inside.contains(['`', '<', '%', '[', ']', '>']), "{line}");
        }
    }

    #[test]
    fn a_network_without_anybody_is_still_a_picture() {
        let nobody = Places::default();
        assert_eq!(tree(&nobody, "t1"), "t1");
        assert!(dot(&nobody, "t1").ends_with('}'));
        assert_eq!(mermaid(&nobody), "flowchart LR");
    }
}
