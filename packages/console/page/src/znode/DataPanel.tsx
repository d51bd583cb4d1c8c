import * as Effect from "effect/Effect"
import { createEffect, createMemo, createSignal, Match, on, onCleanup, onMount, Show, Switch } from "solid-js"
import { bytesPerRow, hexRow, isGzip, kindOf, layOut, size, textOf, type Unpacked, unpack } from "../model/data.ts"
import { nameOf } from "../model/znodePath.ts"
import { Choice } from "../parts/Choice.tsx"
import { copy, download } from "../parts/copy.ts"
import { Icon } from "../parts/Icon.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { VirtualRows } from "../parts/VirtualRows.tsx"
import { usePage } from "../shell/page.ts"
import { CodeEditor } from "./CodeEditor.tsx"
import type { Editor } from "./codemirror.ts"
import { keepDraft } from "./drafts.ts"
import type { Present } from "./present.ts"

type Form = "text" | "json" | "hex" | "unpacked" | "formatted"

/** The data of a znode, in the form that fits it or another. */
export const DataPanel = (props: { readonly path: string; readonly present: Present }) => {
  const { cluster, readOnly, say } = usePage()
  const [chosen, setChosen] = createSignal<Form>()
  const [isAsStored, setAsStored] = createSignal(false)
  let editor: Editor | undefined
  createEffect(
    on(
      () => props.path,
      () => setChosen()
    )
  )

  const data = createMemo(() => props.present.data)
  const kind = createMemo(() => kindOf(data() ?? new Uint8Array()))
  const text = createMemo(() => textOf(data() ?? new Uint8Array()))
  const laidOut = createMemo(() => (kind() === "json" ? layOut(text() ?? "") : undefined))
  const formatted = () => props.present.formatted
  const forms = createMemo((): ReadonlyArray<{ readonly value: Form; readonly text: string }> => [
    ...(formatted() === undefined ? [] : [{ value: "formatted" as const, text: formatted()?.format ?? "" }]),
    ...(isGzip(data() ?? new Uint8Array()) ? [{ value: "unpacked" as const, text: "Unzipped" }] : []),
    ...(kind() === "json" ? [{ value: "json" as const, text: "JSON" }] : []),
    ...(text() === undefined ? [] : [{ value: "text" as const, text: "Text" }]),
    { value: "hex" as const, text: "Hex" }
  ])
  const form = createMemo((): Form => {
    const wanted = forms().find(({ value }) => value === chosen())
    if (wanted !== undefined) return wanted.value
    return kind() === "binary" && formatted() === undefined ? "hex" : (forms()[0]?.value ?? "hex")
  })
  const canEdit = () =>
    data() !== undefined && !props.present.isTruncated && text() !== undefined && kind() !== "binary"

  const edit = (): void => {
    const { stat } = props.present
    keepDraft(cluster()?.name ?? "", props.path, {
      text: text() ?? "",
      base: { text: text() ?? "", version: stat.version, czxid: String(stat.czxid) }
    })
  }
  onMount(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.composedPath()[0]
      const isTyping =
        target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
      if (event.key !== "e" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return
      if (readOnly() !== undefined || !canEdit() || document.querySelector("dialog[open]") !== null) return
      event.preventDefault()
      edit()
    }
    window.addEventListener("keydown", onKey)
    onCleanup(() => window.removeEventListener("keydown", onKey))
  })

  return (
    <section class="panel data" aria-label="Data">
      <div class="panel-head">
        <h2>Data</h2>
        <Show when={(data()?.length ?? 0) > 0}>
          <Choice label="Form" options={forms()} value={form()} onChoose={setChosen} />
        </Show>
        <Show when={form() === "json" && laidOut() !== undefined && laidOut() !== text()?.trim()}>
          <button class="button quiet" aria-pressed={isAsStored()} onClick={() => setAsStored(!isAsStored())}>
            {isAsStored() ? "Lay out" : "As stored"}
          </button>
        </Show>
        <span class="spring" />
        <Show when={(data()?.length ?? 0) > 0}>
          <Show when={form() === "text" || form() === "json"}>
            <button
              class="button quiet icon"
              aria-label="Find in the data"
              title="Find in the data"
              onClick={() => editor?.find()}
            >
              <Icon name="search" size={14} />
            </button>
          </Show>
          <Show when={text()}>
            {(text) => (
              <button
                class="button quiet icon"
                aria-label="Copy the data"
                title="Copy the data"
                onClick={() => copy(text(), "The data is copied.", say)}
              >
                <Icon name="copy" size={14} />
              </button>
            )}
          </Show>
          <button
            class="button quiet icon"
            aria-label="Save the data as a file"
            title="Save the data as a file"
            onClick={() => download(nameOf(props.path).replaceAll(/[^\w.-]/g, "_"), [Uint8Array.from(data() ?? [])])}
          >
            <Icon name="save" size={14} />
          </button>
        </Show>
        <Show when={readOnly() === undefined && canEdit()}>
          <button class="button" data-key="e" onClick={edit} title="Edit the data (e)">
            <Icon name="edit" size={14} /> Edit
          </button>
        </Show>
      </div>
      <Show when={props.present.isTruncated}>
        <div class="panel-note">
          <Note tone="warn">
            Only the first {size(data()?.length ?? 0)} of {size(props.present.stat.dataLength)} are shown.
          </Note>
        </div>
      </Show>
      <Switch>
        <Match when={data() === undefined}>
          <div class="empty">
            <h2>The data may not be read</h2>
            <p>The ACL of this znode does not allow it to this console.</p>
          </div>
        </Match>
        <Match when={kind() === "empty"}>
          <div class="empty">
            <p>This znode has no data.</p>
          </div>
        </Match>
        <Match when={form() === "hex"}>
          <Hex bytes={data() ?? new Uint8Array()} />
        </Match>
        <Match when={form() === "formatted" && formatted()}>
          {(formatted) => (
            <Show
              when={formatted().text}
              fallback={
                <div class="panel-note">
                  <Note tone="warn">
                    It is no {formatted().format}: <Name text={formatted().problem ?? ""} />
                  </Note>
                </div>
              }
            >
              {(text) => <CodeEditor label="Decoded data" text={text()} isJson isReadOnly />}
            </Show>
          )}
        </Match>
        <Match when={form() === "unpacked"}>
          <UnpackedData bytes={Uint8Array.from(data() ?? [])} />
        </Match>
        <Match when={true}>
          <CodeEditor
            ref={(made) => {
              editor = made
            }}
            label="Data"
            text={(form() === "json" && !isAsStored() ? laidOut() : undefined) ?? text() ?? ""}
            isJson={form() === "json"}
            isReadOnly
          />
        </Match>
      </Switch>
    </section>
  )
}

const Hex = (props: { readonly bytes: Uint8Array }) => (
  <div class="hex mono">
    <VirtualRows
      count={Math.ceil(props.bytes.length / bytesPerRow)}
      keyAt={String}
      scroller={{ role: "group", "aria-label": "Data as hexadecimal numbers" }}
    >
      {(_, index) => {
        const row = createMemo(() => hexRow(props.bytes, index()))
        return (
          <div class="hex-row">
            <span class="muted">{row().offset}</span>
            <span>{row().hex}</span>
            <span class="hex-text">{row().text}</span>
          </div>
        )
      }}
    </VirtualRows>
  </div>
)

const UnpackedData = (props: { readonly bytes: Uint8Array<ArrayBuffer> }) => {
  const { run } = usePage()
  const [unpacked, setUnpacked] = createSignal<Unpacked>()
  // The text before stays until the next is unzipped.
  createEffect(() => {
    const packed = props.bytes
    const unpacking = run(
      Effect.map(
        Effect.promise(() => unpack(packed)),
        setUnpacked
      )
    )
    onCleanup(() => unpacking.interruptUnsafe())
  })
  const bytes = createMemo(() => {
    const done = unpacked()
    return done?._tag === "Unpacked" ? done.bytes : undefined
  })
  const text = createMemo(() => {
    const found = bytes()
    return found === undefined || kindOf(found) === "binary" ? undefined : textOf(found)
  })
  return (
    <Switch fallback={<div class="empty">Unzipping …</div>}>
      <Match when={unpacked()?._tag === "TooLarge"}>
        <div class="empty">It unzips to more than 16 MB. Save it as a file instead.</div>
      </Match>
      <Match when={unpacked()?._tag === "Broken"}>
        <div class="empty">It begins like gzip, and cannot be unzipped.</div>
      </Match>
      <Match when={text()}>
        {(text) => (
          <CodeEditor
            label="Unzipped data"
            text={layOut(text()) ?? text()}
            isJson={layOut(text()) !== undefined}
            isReadOnly
          />
        )}
      </Match>
      <Match when={bytes()}>{(bytes) => <Hex bytes={bytes()} />}</Match>
    </Switch>
  )
}
