// The SQL page's editor over its plain text area, which stays the field of the form: without this script, it is the editor.
import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { PostgreSQL, keywordCompletionSource, sql } from "@codemirror/lang-sql";
import { bracketMatching, defaultHighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, keymap } from "@codemirror/view";

const WORD = /[\p{L}\p{N}_$.]*/u;
const USE = /\b((?:silver|gold|results|quarantine)\.)?([a-z_][a-z0-9_]*)(?:\s+as)?\s+([a-z_][a-z0-9_]*)\b/gi;
const MOST = 200;

const theme = EditorView.theme({
  "&": { fontSize: "1rem", border: "1px solid #6b7780", borderRadius: ".25rem", background: "#fff", color: "#16202a" },
  "&.cm-focused": { outline: "3px solid #b45309", outlineOffset: "2px" },
  ".cm-content": { fontFamily: "ui-monospace, monospace", minHeight: "10rem", caretColor: "#16202a" },
  ".cm-scroller": { maxHeight: "60vh", overflow: "auto" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { maxWidth: "92vw" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: ".4rem .5rem", lineHeight: 1.4 },
  ".cm-completionDetail": { fontStyle: "normal", color: "#4a5763", marginLeft: "1em" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
});

/** Tables with their columns, as the page lists them below the form. */
function listed() {
  return [...document.querySelectorAll("details[data-table]")].map((table) => ({
    name: table.dataset.table,
    title: table.dataset.title,
    columns: [...table.querySelectorAll("li[data-column]")].map((column) => ({
      name: column.dataset.column,
      title: column.dataset.title,
      type: column.dataset.type,
    })),
  }));
}

function short(name) {
  return name.slice(name.indexOf(".") + 1);
}

function tableOption(table) {
  return { label: table.name, detail: table.title, type: "class", boost: 1 };
}

function columnOption(column, table) {
  return { label: column.name, detail: column.title, info: `${table.name} ${column.type}`, type: "property" };
}

/** The tables that a query names, by their aliases. */
function aliases(text, tables) {
  const found = new Map();
  for (const table of tables) found.set(short(table.name), table);
  for (const [, schema, name, alias] of text.matchAll(USE)) {
    const table = tables.find((known) => known.name === (schema ?? "").toLowerCase() + name.toLowerCase() || (!schema && short(known.name) === name.toLowerCase()));
    if (table) found.set(alias.toLowerCase(), table);
  }
  return found;
}

function fits(option, word) {
  const wanted = word.toLowerCase();
  return option.label.toLowerCase().includes(wanted) || (option.detail ?? "").toLowerCase().includes(wanted);
}

/** Completes tables and columns by name or by Chinese title, and the columns of `alias.`. */
function source(tables) {
  return (context) => {
    const word = context.matchBefore(WORD);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    const text = context.state.doc.toString();
    const dot = word.text.lastIndexOf(".");
    const table = dot < 0 ? undefined : aliases(text, tables).get(word.text.slice(0, dot).toLowerCase());
    if (table) {
      const start = word.text.slice(dot + 1);
      const options = table.columns.map((column) => columnOption(column, table)).filter((option) => fits(option, start));
      return { from: word.from + dot + 1, options, filter: false };
    }
    const named = tables.filter((known) => text.includes(short(known.name)));
    const columns = named.flatMap((known) => known.columns.map((column) => columnOption(column, known)));
    const options = [...tables.map(tableOption), ...columns].filter((option) => fits(option, word.text));
    return { from: word.from, options: options.slice(0, MOST), filter: false };
  };
}

function attach(area) {
  const form = area.form, label = document.querySelector(`label[for="${area.id}"]`);
  const host = document.createElement("div");
  host.className = "editor";
  area.after(host);
  // In a shadow root, the editor's styles are constructed sheets: the page's policy allows no style elements.
  const root = host.attachShadow({ mode: "open" });
  const run = () => (form.requestSubmit(form.querySelector(".main-button")), true);
  const tables = source(listed());
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        keymap.of([{ key: "Mod-Enter", run, preventDefault: true }, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        history(),
        drawSelection(),
        bracketMatching(),
        syntaxHighlighting(defaultHighlightStyle),
        sql({ dialect: PostgreSQL }),
        autocompletion({ override: [tables, keywordCompletionSource(PostgreSQL, true)] }),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label.textContent.trim(), spellcheck: "false", autocapitalize: "off" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) area.value = update.state.doc.toString();
        }),
        theme,
      ],
    }),
  });
  area.hidden = true;
  area.required = false;
  label.addEventListener("click", () => view.focus());
}

const area = document.querySelector("form.query textarea[name=sql]");
if (area) attach(area);
