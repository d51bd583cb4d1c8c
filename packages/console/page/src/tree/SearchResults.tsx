import type { SearchEvent } from "@effect-zookeeper/console/SearchModels"
import { createMemo, createSignal, For, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { useFeed } from "../link/run.ts"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"

type Found = Extract<SearchEvent, { readonly _tag: "found" }>

/** What a search below a path has found so far. It goes on until it is stopped or closed. */
export const SearchResults = (props: {
  readonly query: { readonly path: string; readonly text: string }
  readonly onChoose: (path: string) => void
  readonly onClose: () => void
}) => {
  const { cluster, href } = usePage()
  const name = cluster()?.name ?? ""
  const [inNames, setInNames] = createSignal(true)
  const [inData, setInData] = createSignal(true)
  const [isStopped, setStopped] = createSignal(false)
  const [found, setFound] = createSignal<ReadonlyArray<Found>>([])
  const [progress, setProgress] = createSignal<Exclude<SearchEvent, Found>>()
  const what = createMemo(() => ({
    cluster: name,
    path: props.query.path,
    text: props.query.text,
    inNames: inNames(),
    inData: inData(),
    ignoreCase: true
  }))

  const feed = useFeed(
    (client) => (isStopped() || !(inNames() || inData()) ? undefined : client.search(what())),
    (event) => {
      if (event._tag === "found") setFound((found) => [...found, event])
      else setProgress(event)
    },
    () => {
      setFound([])
      setProgress()
    }
  )
  const failure = createMemo(() => {
    const state = feed()
    return state._tag === "Failed" || state._tag === "Stale" ? describe(state.error) : undefined
  })
  const done = createMemo(() => {
    const last = progress()
    return last?._tag === "done" ? last : undefined
  })

  return (
    <div class="results">
      <div class="results-head stack">
        <p>
          Below <Name text={props.query.path} />: <Name text={props.query.text} />
        </p>
        <div class="row">
          <label class="check">
            <input type="checkbox" checked={inNames()} onChange={(event) => setInNames(event.currentTarget.checked)} />{" "}
            names
          </label>
          <label class="check">
            <input type="checkbox" checked={inData()} onChange={(event) => setInData(event.currentTarget.checked)} />{" "}
            data
          </label>
          <span class="spring" />
          <Show when={done() === undefined && !isStopped()}>
            <button class="button" onClick={() => setStopped(true)}>
              Stop
            </button>
          </Show>
          <button class="button" onClick={() => props.onClose()}>
            Close
          </button>
        </div>
        <p class="muted number" role="status">
          {words(found().length, progress()?.visited ?? 0, done(), isStopped())}
        </p>
        <Show when={failure()}>{(text) => <Note tone="bad">{text()}</Note>}</Show>
      </div>
      <ul class="found" aria-label="Found znodes">
        <For
          each={found()}
          fallback={
            <Show when={done()}>
              <li class="empty">Nothing below this path has this text.</li>
            </Show>
          }
        >
          {(one) => (
            <li>
              <a
                class="found-one"
                href={href({ view: "tree", path: one.path })}
                onClick={(event) => {
                  event.preventDefault()
                  props.onChoose(one.path)
                }}
              >
                <Name text={one.path} />
                <Show when={one.excerpt}>
                  {(excerpt) => (
                    <span class="excerpt">
                      <Name text={excerpt()} />
                    </span>
                  )}
                </Show>
              </a>
            </li>
          )}
        </For>
      </ul>
    </div>
  )
}

const words = (
  found: number,
  visited: number,
  done: { readonly isComplete: boolean; readonly forbidden: number } | undefined,
  isStopped: boolean
): string => {
  const far = `${found.toLocaleString("en")} found in ${visited.toLocaleString("en")} znodes`
  if (done === undefined) return isStopped ? `Stopped: ${far}.` : `Searching: ${far} …`
  const hidden = done.forbidden === 0 ? "" : ` ${done.forbidden.toLocaleString("en")} may not be read.`
  return done.isComplete ? `${far}.${hidden}` : `${far}; there are more: search further down.${hidden}`
}
