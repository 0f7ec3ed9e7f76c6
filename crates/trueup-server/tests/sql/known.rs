//! Texts that statements are put together from: constants, and macros that are nothing but texts.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::Expr;
use syn::visit::Visit;

/// Texts that have a name.
#[derive(Default)]
pub struct Known {
    /// The file that is read.
    pub path: String,
    /// With the file that each stands in.
    pub constants: BTreeMap<String, (String, Expr)>,
    pub macros: BTreeMap<String, TextMacro>,
}

/// `macro_rules! name { ($a:literal, …) => { text } }`
pub struct TextMacro {
    parameters: Vec<String>,
    body: TokenStream,
}

impl<'ast> Visit<'ast> for Known {
    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constants.insert(item.ident.to_string(), (self.path.clone(), (*item.expr).clone()));
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        let name = item.ident.as_ref().map(ToString::to_string);
        if let (Some(name), Some(found)) = (name, TextMacro::of(&item.mac.tokens)) {
            self.macros.insert(name, found);
        }
    }
}

impl TextMacro {
    fn of(tokens: &TokenStream) -> Option<Self> {
        let trees: Vec<_> = tokens.clone().into_iter().collect();
        let [
            TokenTree::Group(pattern),
            TokenTree::Punct(_),
            TokenTree::Punct(_),
            TokenTree::Group(body),
            ..,
        ] = &trees[..]
        else {
            return None;
        };
        let pattern: Vec<_> = pattern.stream().into_iter().collect();
        let parameter = |it: &[TokenTree]| match it {
            [
                TokenTree::Punct(dollar),
                TokenTree::Ident(name),
                TokenTree::Punct(_),
                TokenTree::Ident(kind),
                ..,
            ] if dollar.as_char() == '$' && kind == "literal" => Some(name.to_string()),
            _ => None,
        };
        // Five tokens each: `$`, name, `:`, `literal` and a comma, which the last may do without.
        let parameters = pattern.chunks(5).map(parameter).collect::<Option<_>>()?;
        Some(Self { parameters, body: body.stream() })
    }

    pub fn expand(&self, arguments: &[Expr]) -> Option<Expr> {
        if arguments.len() != self.parameters.len() {
            return None;
        }
        syn::parse2(self.fill(self.body.clone(), arguments)).ok()
    }

    fn fill(&self, tokens: TokenStream, arguments: &[Expr]) -> TokenStream {
        let mut filled = TokenStream::new();
        let mut trees = tokens.into_iter().peekable();
        while let Some(tree) = trees.next() {
            let parameter = match (&tree, trees.peek()) {
                (TokenTree::Punct(dollar), Some(TokenTree::Ident(name)))
                    if dollar.as_char() == '$' =>
                {
                    self.parameters.iter().position(|known| name == known)
                }
                _ => None,
            };
            match (parameter, tree) {
                (Some(at), _) => {
                    trees.next();
                    filled.extend(arguments[at].to_token_stream());
                }
                (None, TokenTree::Group(group)) => {
                    let stream = self.fill(group.stream(), arguments);
                    filled.extend([TokenTree::Group(proc_macro2::Group::new(
                        group.delimiter(),
                        stream,
                    ))]);
                }
                (None, tree) => filled.extend([tree]),
            }
        }
        filled
    }
}
