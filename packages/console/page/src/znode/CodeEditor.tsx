import { createEffect, on, onCleanup, Show } from "solid-js"
import { later, useLater } from "../parts/later.tsx"
import type { Editor, Options } from "./codemirror.ts"

const codemirror = later(() => import("./codemirror.ts"))

/** A text with line numbers, folding and search: to read, to edit, or beside another one. */
export const CodeEditor = (
  props: Omit<Options, "parent"> & { readonly ref?: (editor: Editor) => void; readonly class?: string }
) => {
  let place!: HTMLDivElement
  const loaded = useLater(codemirror)
  createEffect(
    on([loaded, () => props.isJson, () => props.isReadOnly, () => props.original], ([module]) => {
      if (module === undefined) return
      const { class: _, ref, ...options } = props
      const editor = module.makeEditor({ ...options, parent: place })
      ref?.(editor)
      createEffect(on(() => props.text, editor.setText, { defer: true }))
      onCleanup(editor.destroy)
    })
  )
  return (
    <>
      <div ref={place} class={`code ${props.class ?? ""}`} hidden={loaded() === undefined && codemirror.hasFailed()} />
      <Show when={loaded() === undefined && codemirror.hasFailed()}>
        <pre class="code-plain mono">{props.text}</pre>
      </Show>
    </>
  )
}
