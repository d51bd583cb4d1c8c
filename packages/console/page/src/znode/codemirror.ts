/**
 * Editors and comparisons, loaded when the first znode is shown.
 *
 * An editor is in a shadow root, where its style sheets are objects: the policy for content forbids `<style>` elements.
 * The colours are the variables of the page, which a shadow root inherits.
 */
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands"
import { json, jsonParseLinter } from "@codemirror/lang-json"
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, syntaxHighlighting } from "@codemirror/language"
import { linter } from "@codemirror/lint"
import { diff, unifiedMergeView } from "@codemirror/merge"
import { openSearchPanel, search, searchKeymap } from "@codemirror/search"
import { type ChangeSpec, EditorState, type Extension, Text } from "@codemirror/state"
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers
} from "@codemirror/view"
import { tags } from "@lezer/highlight"
import { lineEnd } from "../model/data.ts"

export interface Options {
  readonly parent: HTMLElement
  readonly label: string
  readonly text: string
  readonly isJson: boolean
  readonly isReadOnly: boolean
  /** Shows what is different from this text. */
  readonly original?: string | undefined
  readonly onChange?: ((text: string) => void) | undefined
  /** For Ctrl+S or Cmd+S. */
  readonly onSave?: (() => void) | undefined
}

export interface Editor {
  readonly setText: (text: string) => void
  readonly text: () => string
  readonly focus: () => void
  readonly find: () => void
  readonly destroy: () => void
}

export const makeEditor = (options: Options): Editor => {
  const { original, parent, text } = options
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open" })
  let end = lineEnd(text, original ?? "")
  const view = new EditorView({ root, parent: root, state: stateOf(options, text, end) })
  return {
    setText: (text) => {
      if (text === view.state.sliceDoc()) return
      const endNow = lineEnd(text, original ?? "")
      if (endNow === end) view.dispatch({ changes: changesTo(view.state, text) })
      else {
        end = endNow
        view.setState(stateOf(options, text, end))
      }
    },
    text: () => view.state.sliceDoc(),
    focus: () => view.focus(),
    find: () => void openSearchPanel(view),
    destroy: () => {
      view.destroy()
      root.replaceChildren()
    }
  }
}

/** The places that are different, alone: a selection, a fold and the lines in sight stay while a znode changes elsewhere. */
const changesTo = (state: EditorState, text: string): ReadonlyArray<ChangeSpec> => {
  // Positions count each end of a line as one character.
  const now = state.toText(text)
  return diff(state.doc.toString(), now.toString(), { scanLimit: 500, timeout: 20 }).map(
    ({ fromA, fromB, toA, toB }) => ({ from: fromA, to: toA, insert: now.slice(fromB, toB) })
  )
}

const stateOf = (options: Options, text: string, end: string): EditorState => {
  const { isJson, isReadOnly, label, onChange, onSave, original } = options
  const extensions: Array<Extension> = [
    theme,
    EditorState.lineSeparator.of(end),
    // A pasted text gets the ends of lines of the text around it.
    EditorView.clipboardInputFilter.of((pasted) => pasted.replaceAll(/\r\n?|\n/g, end)),
    syntaxHighlighting(colours),
    lineNumbers(),
    highlightSpecialChars(),
    drawSelection(),
    search({ top: true }),
    history(),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": label }),
    keymap.of([
      {
        key: "Mod-s",
        preventDefault: true,
        run: () => {
          onSave?.()
          return true
        }
      },
      ...defaultKeymap,
      ...historyKeymap,
      ...searchKeymap,
      ...foldKeymap
    ]),
    isReadOnly ? EditorState.readOnly.of(true) : [highlightActiveLine(), bracketMatching()]
  ]
  if (isJson) extensions.push(json(), foldGutter())
  if (isJson && !isReadOnly) extensions.push(linter(jsonParseLinter(), { delay: 250 }))
  if (original !== undefined) {
    extensions.push(
      unifiedMergeView({
        original: Text.of(original.split(end)),
        mergeControls: false,
        gutter: true,
        highlightChanges: true,
        collapseUnchanged: { margin: 3, minSize: 6 }
      })
    )
  }
  if (onChange !== undefined) {
    extensions.push(
      EditorView.updateListener.of((update) => {
        if (update.docChanged) onChange(update.state.sliceDoc())
      })
    )
  }
  return EditorState.create({ doc: text, extensions })
}

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "transparent", fontSize: "13px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--ink-3)", border: "0", paddingRight: "4px" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "34px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--ink) 4%, transparent)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 26%, transparent) !important"
  },
  ".cm-matchingBracket": { backgroundColor: "color-mix(in srgb, var(--accent) 22%, transparent) !important" },
  ".cm-specialChar": { color: "var(--warn)" },
  ".cm-foldPlaceholder": { background: "var(--sunken)", border: "0", color: "var(--ink-2)", padding: "0 6px" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--ink)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search": { fontFamily: "var(--font)", padding: "6px 10px" },
  ".cm-textfield": {
    background: "var(--surface)",
    border: "1px solid var(--line-strong)",
    borderRadius: "4px",
    color: "var(--ink)"
  },
  ".cm-button": {
    background: "var(--surface)",
    border: "1px solid var(--line-strong)",
    borderRadius: "4px",
    color: "var(--ink)"
  },
  ".cm-tooltip": {
    background: "var(--raised)",
    border: "1px solid var(--line)",
    color: "var(--ink)",
    borderRadius: "4px"
  },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)" },
  ".cm-searchMatch": { backgroundColor: "color-mix(in srgb, var(--warn) 34%, transparent)" },
  ".cm-searchMatch-selected": { backgroundColor: "color-mix(in srgb, var(--warn) 62%, transparent)" },
  "&.cm-merge-b .cm-changedLine, .cm-inlineChangedLine": { backgroundColor: "var(--good-wash)" },
  // Pale, for the colours of JSON have to be read on them.
  "&.cm-merge-b .cm-changedText": { background: "color-mix(in srgb, var(--good) 18%, transparent)" },
  ".cm-deletedChunk": { backgroundColor: "var(--bad-wash)" },
  ".cm-deletedChunk .cm-deletedText, &.cm-merge-b .cm-deletedText": {
    background: "color-mix(in srgb, var(--bad) 18%, transparent)"
  },
  ".cm-collapsedLines": {
    background: "var(--sunken)",
    color: "var(--ink-2)",
    fontFamily: "var(--font)",
    fontSize: "12px",
    padding: "3px 12px"
  }
})

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "light-dark(#0b5c9e, #86c0f5)" },
  { tag: tags.string, color: "light-dark(#8a3f12, #eab58a)" },
  { tag: tags.number, color: "light-dark(#1a7040, #8fd6a6)" },
  { tag: [tags.bool, tags.null], color: "light-dark(#7a2f9c, #d3a2ec)" },
  { tag: tags.invalid, color: "var(--bad)" }
])
