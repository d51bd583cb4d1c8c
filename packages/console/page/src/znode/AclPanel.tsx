import type * as Models from "@effect-zookeeper/console/Models"
import { createEffect, createMemo, createSignal, For, Index, on, onMount, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { useChange } from "../link/run.ts"
import { explain, permissions, schemes } from "../model/acl.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { Icon } from "../parts/Icon.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"
import type { Present } from "./present.ts"

type NewEntry = typeof Models.NewAclEntry.Type

interface Props {
  readonly path: string
  readonly present: Present
  /** Has the znode read again: servers send no event for a change of an ACL. */
  readonly onDoubt: () => void
}

/** Who may do what to a znode. */
export const AclPanel = (props: Props) => {
  const { readOnly } = usePage()
  const [isEditing, setEditing] = createSignal(false)
  const warnings = createMemo(() => (props.present.acl ?? []).map(explain).flatMap(({ warning }) => warning ?? []))
  return (
    <section class="panel" aria-label="Access control list">
      <div class="panel-head">
        <h2>Who may do what</h2>
        <span class="spring" />
        <Show when={readOnly() === undefined && props.present.acl !== undefined}>
          <button class="button quiet" onClick={() => setEditing(true)}>
            <Icon name="edit" size={14} /> Edit
          </button>
        </Show>
      </div>
      <div class="panel-body stack">
        <Show when={props.present.acl} fallback={<p class="muted">The ACL may not be read by this console.</p>}>
          {(acl) => (
            <ul class="acl">
              <For each={acl()}>
                {(entry) => (
                  <li>
                    <Sentence entry={entry} />
                    <span class="detail">
                      <Name text={`${entry.scheme}:${entry.id}:${entry.perms}`} />
                    </span>
                  </li>
                )}
              </For>
            </ul>
          )}
        </Show>
        <For each={warnings()}>{(text) => <Note tone="warn">{text}</Note>}</For>
      </div>
      <Show when={isEditing()}>
        <AclDialog {...props} onClose={() => setEditing(false)} />
      </Show>
    </section>
  )
}

const Sentence = (props: {
  readonly entry: { readonly scheme: string; readonly id: string; readonly perms: string }
}) => {
  const explained = createMemo(() => explain(props.entry))
  return (
    <p>
      <bdi>{explained().identity}</bdi> {explained().may}.
    </p>
  )
}

const entriesOf = (present: Present): ReadonlyArray<NewEntry> =>
  (present.acl ?? []).map(({ id, perms, scheme }, keeps) => ({ scheme, id, perms, keeps }))

const AclDialog = (props: Props & { readonly onClose: () => void }) => {
  const { cluster, link, say } = usePage()
  const [seen, setSeen] = createSignal(props.present)
  const [entries, setEntries] = createSignal(entriesOf(props.present))
  const [isTouched, setTouched] = createSignal(false)
  const saving = useChange<Models.Stat>(() => {
    say("The ACL was changed.")
    props.onDoubt()
    props.onClose()
  })
  const beginAgain = (): void => {
    saving.forget()
    setSeen(props.present)
    setEntries(entriesOf(props.present))
    setTouched(false)
  }
  const isOld = () =>
    props.present.stat.aversion !== seen().stat.aversion || props.present.stat.czxid !== seen().stat.czxid
  onMount(() => props.onDoubt())
  createEffect(() => isOld() && !isTouched() && beginAgain())
  createEffect(
    on(saving.state, (state) => {
      if (state._tag === "Failed" && state.error._tag === "Conflict") props.onDoubt()
    })
  )
  const edit = (to: (entries: ReadonlyArray<NewEntry>) => ReadonlyArray<NewEntry>): void => {
    setTouched(true)
    setEntries(to)
  }
  const change = (index: number, to: Partial<NewEntry>): void =>
    edit((entries) =>
      entries.map((entry, at) => {
        if (at !== index) return entry
        const { keeps, ...rest } = entry
        // An entry with another identity is a new one.
        return to.scheme === undefined && to.id === undefined && keeps !== undefined
          ? { ...entry, ...to }
          : { ...rest, ...to }
      })
    )
  const remove = (index: number): void => edit((entries) => entries.filter((_, at) => at !== index))
  const problem = createMemo(() => {
    const all = entries()
    if (all.length === 0) return "Without an entry no client could do anything: add one."
    if (all.some(({ perms }) => perms === "")) return "An entry allows nothing: give it a permission, or remove it."
    if (
      all.some(({ keeps, password, scheme }) => scheme === "digest" && keeps === undefined && (password ?? "") === "")
    ) {
      return "A new digest entry needs a password."
    }
    return undefined
  })
  const warnings = createMemo(() => [
    ...entries()
      .map(explain)
      .flatMap(({ warning }) => warning ?? []),
    ...(entries().some(({ perms }) => perms.includes("a"))
      ? []
      : ["No client will be able to change this list again, except a superuser of the servers."])
  ])
  const save = (): void =>
    saving.start(
      link.client.saveAcl({
        cluster: cluster()?.name ?? "",
        path: props.path,
        czxid: seen().stat.czxid,
        aversion: seen().stat.aversion,
        acl: entries()
      })
    )
  const failure = () => {
    const state = saving.state()
    return state._tag === "Failed" ? describe(state.error, "change") : undefined
  }
  return (
    <Dialog title="Who may do what" isWide hasText={isTouched()} onClose={props.onClose}>
      <p>
        <Name text={props.path} />. The list is for this znode alone: its children have their own.
      </p>
      <ul class="acl-edit">
        <Index each={entries()}>
          {(entry, index) => (
            <li class="stack">
              <div class="row">
                <select
                  class="field scheme"
                  aria-label="Scheme"
                  value={entry().scheme}
                  onChange={(event) => {
                    const scheme = event.currentTarget.value
                    change(index, { scheme, id: scheme === "world" ? "anyone" : "" })
                  }}
                >
                  <For each={[...new Set([...schemes, entry().scheme])]}>
                    {(scheme) => <option value={scheme}>{scheme}</option>}
                  </For>
                </select>
                <Show when={entry().scheme !== "world" && entry().scheme !== "auth"}>
                  <input
                    class="field identity mono"
                    aria-label={entry().scheme === "digest" ? "User" : "Identity"}
                    placeholder={
                      entry().scheme === "digest" ? "user" : entry().scheme === "ip" ? "10.0.0.0/8" : "identity"
                    }
                    spellcheck={false}
                    value={entry().id}
                    onInput={(event) => change(index, { id: event.currentTarget.value })}
                  />
                </Show>
                <Show when={entry().scheme === "digest" && entry().keeps === undefined}>
                  <input
                    class="field identity"
                    type="password"
                    autocomplete="new-password"
                    aria-label="Password"
                    placeholder="password"
                    value={entry().password ?? ""}
                    onInput={(event) => change(index, { password: event.currentTarget.value })}
                  />
                </Show>
                <For each={permissions}>
                  {({ letter, name, word }) => (
                    <label class="check" title={word}>
                      <input
                        type="checkbox"
                        checked={entry().perms.includes(letter)}
                        onChange={(event) =>
                          change(index, { perms: withLetter(entry().perms, letter, event.currentTarget.checked) })
                        }
                      />
                      {name}
                    </label>
                  )}
                </For>
                <span class="spring" />
                <button
                  class="button quiet icon"
                  aria-label="Remove this entry"
                  title="Remove this entry"
                  onClick={() => remove(index)}
                >
                  <Icon name="trash" size={14} />
                </button>
              </div>
              <div class="muted">
                <Sentence entry={entry()} />
              </div>
            </li>
          )}
        </Index>
      </ul>
      <div>
        <button
          class="button"
          onClick={() => edit((entries) => [...entries, { scheme: "world", id: "anyone", perms: "r" }])}
        >
          <Icon name="add" size={14} /> Add an entry
        </button>
      </div>
      <For each={warnings()}>{(text) => <Note tone="warn">{text}</Note>}</For>
      <Show when={problem()}>{(text) => <p role="status">{text()}</p>}</Show>
      <Show when={failure()}>{(text) => <Note tone="bad">{text()}</Note>}</Show>
      <Show when={isOld() && isTouched()}>
        <Note tone="warn">
          Someone else has changed the list since you saw it.{" "}
          <button class="button" onClick={beginAgain}>
            Begin with the list that is there now
          </button>
        </Note>
      </Show>
      <div class="row end">
        <button class="button" onClick={() => props.onClose()}>
          Cancel
        </button>
        <button
          class="button primary"
          disabled={problem() !== undefined || saving.state()._tag === "Running"}
          onClick={save}
        >
          {saving.state()._tag === "Running" ? "Saving …" : "Save the list"}
        </button>
      </div>
    </Dialog>
  )
}

/** In the order of ZooKeeper's shell. */
const withLetter = (perms: string, letter: string, isSet: boolean): string =>
  ["c", "d", "r", "w", "a"].filter((one) => (one === letter ? isSet : perms.includes(one))).join("")
