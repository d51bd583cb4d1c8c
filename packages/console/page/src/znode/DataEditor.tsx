import type * as Models from "@effect-zookeeper/console/Models"
import type { EditFailure } from "@effect-zookeeper/console/ProtocolError"
import { createEffect, createMemo, createSignal, Match, on, onCleanup, onMount, Show, Switch } from "solid-js"
import { describe } from "../link/failures.ts"
import { useAction } from "../link/run.ts"
import { bytesOf, jsonProblem, kindOf, size, textOf } from "../model/data.ts"
import { ago } from "../model/time.ts"
import { copy } from "../parts/copy.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"
import { CodeEditor } from "./CodeEditor.tsx"
import { ConflictDialog, type Theirs } from "./ConflictDialog.tsx"
import { type Draft, draftOf, dropDraft, keepDraft } from "./drafts.ts"
import type { Present } from "./present.ts"

/**
 * The data of a znode as a draft. It is saved only over the version that the person has seen, and stays until it is saved or
 * discarded, whatever happens to the znode meanwhile.
 */
export const DataEditor = (props: { readonly path: string; readonly present: Present | undefined }) => {
  const { cluster, link, now, readOnly, say } = usePage()
  const name = () => cluster()?.name ?? ""
  const [step, setStep] = createSignal<"edit" | "review" | "conflict" | "discard">("edit")
  const draft = createMemo<Draft>((before) => draftOf(name(), props.path) ?? before, nothing)
  /** What another one has made of it, as a refused save told. The stream of the znode may tell it sooner or later. */
  const [refused, setRefused] = createSignal<Theirs>()

  const isChanged = () => draft().text !== draft().base.text
  const isJson = createMemo(() => kindOf(bytesOf(draft().base.text)) === "json")
  const problem = createMemo(() => (isJson() ? jsonProblem(draft().text) : undefined))
  const theirs = createMemo((): Theirs | undefined => {
    const { present } = props
    if (present === undefined) return refused()
    const isOther = present.stat.version !== draft().base.version || String(present.stat.czxid) !== draft().base.czxid
    return isOther ? { stat: present.stat, text: textOf(present.data ?? new Uint8Array()) } : undefined
  })
  const isGone = () => props.present === undefined

  const saving = useAction<Models.Stat, EditFailure>((stat) => {
    dropDraft(name(), props.path)
    say(`Saved as version ${stat.version}.`)
  })
  createEffect(
    on(saving.state, (state) => {
      if (state._tag !== "Failed" || state.error._tag !== "Conflict") return
      const { current } = state.error
      if (current !== undefined) setRefused({ stat: current.stat, text: textOf(current.data ?? new Uint8Array()) })
      setStep(current === undefined ? "edit" : "conflict")
      saving.forget()
    })
  )
  const failure = createMemo(() => {
    const state = saving.state()
    return state._tag === "Failed" ? describe(state.error) : undefined
  })

  const type = (text: string): void => keepDraft(name(), props.path, { ...draft(), text })
  const save = (czxid: bigint, version: number): void =>
    saving.start(link.client.save({ cluster: name(), path: props.path, czxid, version, data: bytesOf(draft().text) }))
  const review = (): void => {
    if (!isChanged() || readOnly() !== undefined || isGone()) return
    saving.forget()
    setStep(theirs() === undefined ? "review" : "conflict")
  }
  // A reload keeps the draft, and a closed tab does not.
  onMount(() => {
    const warn = (event: BeforeUnloadEvent): void => {
      if (isChanged()) event.preventDefault()
    }
    window.addEventListener("beforeunload", warn)
    onCleanup(() => window.removeEventListener("beforeunload", warn))
  })
  const discard = (): void => {
    if (isChanged() && step() !== "discard") setStep("discard")
    else dropDraft(name(), props.path)
  }

  return (
    <section class="panel data editing" aria-label="Edit the data">
      <div class="panel-head">
        <h2>Editing version {draft().base.version}</h2>
        <span class="muted number">{size(bytesOf(draft().text).length)}</span>
        <span class="spring" />
        <button class="button" onClick={discard}>
          {isChanged() ? "Discard" : "Close"}
        </button>
        <button
          class="button primary"
          disabled={!isChanged() || readOnly() !== undefined || isGone()}
          onClick={review}
          title="Ctrl+S"
        >
          Review and save
        </button>
      </div>
      <div class="panel-note stack">
        <Show when={isGone()}>
          <Note tone="warn">
            The znode is gone. Your text is kept here: copy it, and create the znode again.{" "}
            <button class="button" onClick={() => copy(draft().text, () => say("Your text is copied."))}>
              Copy my text
            </button>
          </Note>
        </Show>
        <Show when={!isGone() && theirs()}>
          {(theirs) => (
            <Note tone="warn">
              It was changed {ago(theirs().stat.mtime, now())}: there is version {theirs().stat.version} now. Your text
              is kept.{" "}
              <button class="button" onClick={() => setStep("conflict")}>
                Compare
              </button>
            </Note>
          )}
        </Show>
        <Show when={readOnly()}>
          {(reason) => <Note tone="warn">It cannot be saved: {reason()}. Your text is kept.</Note>}
        </Show>
        <Show when={problem()}>{(text) => <Note tone="warn">It was JSON, and is not now: {text()}</Note>}</Show>
        <Show when={step() === "edit" && failure()}>
          {(text) => <Note tone="bad">{text()} Your text is kept.</Note>}
        </Show>
      </div>
      <CodeEditor
        ref={(editor) => editor.focus()}
        label="Data"
        text={draft().text}
        isJson={isJson()}
        isReadOnly={false}
        onChange={type}
        onSave={review}
      />
      <Switch>
        <Match when={step() === "review"}>
          <Dialog title="Save this change?" isWide onClose={() => setStep("edit")}>
            <p>
              <Name text={props.path} />, over version {draft().base.version}. If another one has changed it by then,
              nothing is overwritten.
            </p>
            <Show when={problem()}>{(text) => <Note tone="warn">It was JSON, and is not now: {text()}</Note>}</Show>
            <CodeEditor
              label="Your change"
              class="tall"
              text={draft().text}
              original={draft().base.text}
              isJson={isJson()}
              isReadOnly
            />
            <Show when={failure()}>{(text) => <Note tone="bad">{text()} Your text is kept.</Note>}</Show>
            <div class="row end">
              <button class="button" onClick={() => setStep("edit")}>
                Back
              </button>
              <button
                class="button primary"
                autofocus
                disabled={saving.state()._tag === "Running"}
                onClick={() => save(BigInt(draft().base.czxid), draft().base.version)}
              >
                {saving.state()._tag === "Running" ? "Saving …" : `Save as version ${draft().base.version + 1}`}
              </button>
            </div>
          </Dialog>
        </Match>
        <Match when={step() === "conflict" && (theirs() ?? refused())}>
          {(theirs) => (
            <ConflictDialog
              path={props.path}
              base={draft().base}
              theirs={theirs()}
              mine={draft().text}
              isJson={isJson()}
              isSaving={saving.state()._tag === "Running"}
              failure={failure()}
              onType={type}
              onSave={() => save(theirs().stat.czxid, theirs().stat.version)}
              onClose={() => setStep("edit")}
            />
          )}
        </Match>
        <Match when={step() === "discard"}>
          <Dialog title="Discard what you typed?" onClose={() => setStep("edit")}>
            <p>The znode stays as it is. Your text is lost.</p>
            <div class="row end">
              <button class="button" autofocus onClick={() => setStep("edit")}>
                Keep it
              </button>
              <button class="button danger primary" onClick={discard}>
                Discard
              </button>
            </div>
          </Dialog>
        </Match>
      </Switch>
    </section>
  )
}

const nothing: Draft = { text: "", base: { text: "", version: 0, czxid: "" } }
