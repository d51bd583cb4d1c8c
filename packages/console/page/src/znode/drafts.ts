/**
 * Text that was typed and not saved yet. It is kept for each znode while the page is open, also over a reload: a lost connection,
 * a deleted znode or a wrong click loses nothing.
 */
import type { Stat } from "@effect-zookeeper/console/Models"
import { createSignal } from "solid-js"
import { afterSave, type Draft, isChanged } from "../model/draft.ts"

export interface Unsaved {
  readonly cluster: string
  readonly path: string
}

/** Each draft has an entry of its own, so that one for which there is no room costs no other one. */
const prefix = "zk-console-draft "

const load = (): Readonly<Record<string, Draft>> => {
  const found: Record<string, Draft> = {}
  for (let index = 0; index < sessionStorage.length; index += 1) {
    const key = sessionStorage.key(index)
    if (key === null || !key.startsWith(prefix)) continue
    const draft = read(sessionStorage.getItem(key) ?? "")
    if (draft !== undefined) found[key.slice(prefix.length)] = draft
  }
  return found
}

const read = (json: string): Draft | undefined => {
  try {
    const kept: unknown = JSON.parse(json)
    return isDraft(kept) ? kept : undefined
  } catch {
    return undefined
  }
}

const isDraft = (value: unknown): value is Draft =>
  typeof value === "object" &&
  value !== null &&
  "text" in value &&
  typeof value.text === "string" &&
  "base" in value &&
  isBase(value.base)

const isBase = (value: unknown): value is Draft["base"] =>
  typeof value === "object" &&
  value !== null &&
  "text" in value &&
  typeof value.text === "string" &&
  "version" in value &&
  typeof value.version === "number" &&
  "czxid" in value &&
  typeof value.czxid === "string" &&
  /^-?\d+$/.test(value.czxid)

const [drafts, setDrafts] = createSignal(load())

/** The drafts for which the browser has no room: they live as long as this page. */
const [withoutRoom, setWithoutRoom] = createSignal<ReadonlySet<string>>(new Set())

const idOf = (cluster: string, path: string): string => JSON.stringify([cluster, path])

export const draftOf = (cluster: string, path: string): Draft | undefined => drafts()[idOf(cluster, path)]

/** Whether a reload of the page keeps the draft. */
export const outlivesReload = (cluster: string, path: string): boolean => !withoutRoom().has(idOf(cluster, path))

/** Whether a reload of the page keeps all drafts. */
export const allOutliveReload = (): boolean => withoutRoom().size === 0

/** The znodes with a text that is not saved. */
export const unsaved = (): ReadonlyArray<Unsaved> =>
  Object.entries(drafts())
    .filter(([, draft]) => isChanged(draft))
    .map(([id]) => {
      const [cluster = "", path = "/"]: ReadonlyArray<string> = JSON.parse(id)
      return { cluster, path }
    })

export const keepDraft = (cluster: string, path: string, draft: Draft): void => {
  const id = idOf(cluster, path)
  setDrafts((before) => ({ ...before, [id]: draft }))
  const hasRoom = store(prefix + id, JSON.stringify(draft))
  setWithoutRoom((before) => withOrWithout(before, id, !hasRoom))
}

export const dropDraft = (cluster: string, path: string): void => {
  const id = idOf(cluster, path)
  setDrafts((before) => Object.fromEntries(Object.entries(before).filter(([other]) => other !== id)))
  sessionStorage.removeItem(prefix + id)
  setWithoutRoom((before) => withOrWithout(before, id, false))
}

/** Drops the draft that was saved, or makes what was saved the base of what the person has typed since. */
export const settleDraft = (saved: Unsaved & { readonly text: string }, stat: Stat): void => {
  const draft = draftOf(saved.cluster, saved.path)
  const rest = draft === undefined ? undefined : afterSave(draft, saved.text, stat)
  if (rest === undefined) dropDraft(saved.cluster, saved.path)
  else keepDraft(saved.cluster, saved.path, rest)
}

/** An older state of a draft must not come back as if it were the newest one. */
const store = (key: string, value: string): boolean => {
  try {
    sessionStorage.setItem(key, value)
    return true
  } catch {
    sessionStorage.removeItem(key)
    return false
  }
}

const withOrWithout = (ids: ReadonlySet<string>, id: string, isIn: boolean): ReadonlySet<string> => {
  if (ids.has(id) === isIn) return ids
  const changed = new Set(ids)
  if (isIn) changed.add(id)
  else changed.delete(id)
  return changed
}
