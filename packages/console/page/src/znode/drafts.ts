/**
 * Text that was typed and not saved yet. It is kept for each znode while the page is open, also over a reload: a lost connection,
 * a deleted znode or a wrong click loses nothing.
 */
import { createSignal } from "solid-js"

export interface Draft {
  readonly text: string
  /** The text that the person started from. */
  readonly base: { readonly text: string; readonly version: number; readonly czxid: string }
}

const key = "zk-console-drafts"

const load = (): Readonly<Record<string, Draft>> => {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? "{}")
    return typeof kept === "object" && kept !== null
      ? Object.fromEntries(Object.entries(kept).filter((entry): entry is [string, Draft] => isDraft(entry[1])))
      : {}
  } catch {
    return {}
  }
}

const isDraft = (value: unknown): value is Draft =>
  typeof value === "object" && value !== null && "text" in value && typeof value.text === "string" && "base" in value

const [drafts, setDrafts] = createSignal(load())

const idOf = (cluster: string, path: string): string => JSON.stringify([cluster, path])

export const draftOf = (cluster: string, path: string): Draft | undefined => drafts()[idOf(cluster, path)]

export const keepDraft = (cluster: string, path: string, draft: Draft): void =>
  store({ ...drafts(), [idOf(cluster, path)]: draft })

export const dropDraft = (cluster: string, path: string): void => {
  const { [idOf(cluster, path)]: _, ...others } = drafts()
  store(others)
}

const store = (all: Readonly<Record<string, Draft>>): void => {
  setDrafts(all)
  try {
    sessionStorage.setItem(key, JSON.stringify(all))
  } catch {
    // There is no room: the draft lives as long as this page.
  }
}
