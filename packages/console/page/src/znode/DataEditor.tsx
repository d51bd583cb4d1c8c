import type * as Models from "@effect-zookeeper/console/Models"
import * as Effect from "effect/Effect"
import { createEffect, createMemo, createSignal, Match, on, Show, Switch } from "solid-js"
import { describe } from "../link/failures.ts"
import { useChange } from "../link/run.ts"
import { bytesOf, jsonProblem, kindOf, size } from "../model/data.ts"
import { type Draft, isChanged as isChangedDraft, isNewer, type Theirs, theirsOf } from "../model/draft.ts"
import { ago } from "../model/time.ts"
import { copy } from "../parts/copy.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"
import { CodeEditor } from "./CodeEditor.tsx"
import { ConflictDialog } from "./ConflictDialog.tsx"
import { draftOf, dropDraft, keepDraft, outlivesReload, settleDraft, type Unsaved } from "./drafts.ts"
import type { Present } from "./present.ts"

/**
 * The data of a znode as a draft. It is saved only over the version that the person has seen, and stays until it is saved or
 * discarded, whatever happens to the znode meanwhile.
 */
export const DataEditor = (props: { readonly path: string; readonly present: Present | undefined }) => {
  const { cluster, link, now, readOnly, say } = usePage()
  const name = cluster()?.name ?? ""
  const [step, setStep] = createSignal<"edit" | "review" | "conflict" | "discard">("edit")
  const draft = createMemo<Draft>((before) => draftOf(name, props.path) ?? before, nothing)
  const isChanged = () => isChangedDraft(draft())
  const isJson = createMemo(() => kindOf(bytesOf(draft().base.text)) === "json")
  const problem = createMemo(() => (isJson() ? jsonProblem(draft().text) : undefined))
  const isGone = () => props.present === undefined

  const saving = useChange<{ readonly saved: Unsaved & { readonly text: string }; readonly stat: Models.Stat }>(
    ({ saved, stat }) => {
      settleDraft(saved, stat)
      setStep("edit")
      say(`Saved as version ${stat.version}.`)
    }
  )
  const isSaving = () => saving.state()._tag === "Running"
  /** What another one has made of it, as a refused save told. The stream of the znode may tell it sooner or later. */
  const [refused, setRefused] = createSignal<Theirs>()
  const theirs = createMemo<Theirs | undefined>((before) => {
    const { present } = props
    // The data that comes while a save is on its way may be the text that is saved.
    if (isSaving()) return before
    const told = present === undefined ? undefined : theirsOf(present)
    return [told, refused()]
      .filter((one) => one !== undefined)
      .filter(({ stat }) => isNewer(stat, draft().base))
      .reduce<Theirs | undefined>(
        (newest, one) => (newest === undefined || isNewer(one.stat, newest.stat) ? one : newest),
        undefined
      )
  })
  /** The state of the znode that the dialog of a conflict shows, and over which alone it saves. */
  const [compared, setCompared] = createSignal<Theirs>()
  const compare = (): void => {
    setCompared(theirs())
    setStep("conflict")
  }
  createEffect(
    on(saving.state, (state) => {
      if (state._tag !== "Failed" || state.error._tag !== "Conflict") return
      const { current } = state.error
      if (current === undefined) return void setStep("edit")
      setRefused(theirsOf(current))
      // In an open comparison a person goes over to another state only by a button.
      if (step() === "conflict") return
      saving.forget()
      compare()
    })
  )
  // Somebody was faster while the change was reviewed.
  createEffect(() => step() === "review" && theirs() !== undefined && compare())
  const failure = createMemo(() => {
    const state = saving.state()
    return state._tag === "Failed" ? describe(state.error, "change") : undefined
  })

  const type = (text: string): void => keepDraft(name, props.path, { ...draft(), text })
  const save = (czxid: bigint, version: number): void => {
    // The answer may come when another znode is shown, or when more was typed.
    const saved = { cluster: name, path: props.path, text: draft().text }
    saving.start(
      Effect.map(
        link.client.save({ cluster: name, path: saved.path, czxid, version, data: bytesOf(saved.text) }),
        (stat) => ({ saved, stat })
      )
    )
  }
  const review = (): void => {
    if (!isChanged() || readOnly() !== undefined || isGone() || isSaving()) return
    saving.forget()
    if (theirs() === undefined) setStep("review")
    else compare()
  }
  const discard = (): void => {
    if (isChanged() && step() !== "discard") setStep("discard")
    else dropDraft(name, props.path)
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
          disabled={!isChanged() || readOnly() !== undefined || isGone() || isSaving()}
          onClick={review}
          title="Ctrl+S"
        >
          {isSaving() ? "Saving …" : "Review and save"}
        </button>
      </div>
      <div class="panel-note stack">
        <Show when={isGone()}>
          <Note tone="warn">
            The znode is gone. Your text is kept here: copy it, and create the znode again.{" "}
            <button class="button" onClick={() => copy(draft().text, "Your text is copied.", say)}>
              Copy my text
            </button>
          </Note>
        </Show>
        <Show when={!isGone() && theirs()}>
          {(theirs) => (
            <Note tone="warn">
              It was changed {ago(theirs().stat.mtime, now())}: there is version {theirs().stat.version} now. Your text
              is kept.{" "}
              <button class="button" onClick={compare}>
                Compare
              </button>
            </Note>
          )}
        </Show>
        <Show when={readOnly()}>
          {(reason) => <Note tone="warn">It cannot be saved: {reason()}. Your text is kept.</Note>}
        </Show>
        <Show when={!outlivesReload(name, props.path)}>
          <Note tone="warn">
            The browser has no room for this text: it is lost when the page is loaded again or closed. Save it soon.
          </Note>
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
                disabled={isSaving()}
                onClick={() => save(BigInt(draft().base.czxid), draft().base.version)}
              >
                {isSaving() ? "Saving …" : `Save as version ${draft().base.version + 1}`}
              </button>
            </div>
          </Dialog>
        </Match>
        <Match when={step() === "conflict" && compared()}>
          {(compared) => (
            <ConflictDialog
              path={props.path}
              base={draft().base}
              theirs={compared()}
              newer={newerThan(compared(), theirs())}
              mine={draft().text}
              isJson={isJson()}
              isSaving={isSaving()}
              failure={failure()}
              onType={type}
              onSave={() => save(compared().stat.czxid, compared().stat.version)}
              onLook={() => {
                saving.forget()
                compare()
              }}
              onDone={() => dropDraft(name, props.path)}
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

const newerThan = (shown: Theirs, now: Theirs | undefined): Theirs | undefined =>
  now !== undefined && isNewer(now.stat, shown.stat) ? now : undefined
