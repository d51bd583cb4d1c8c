import type * as Models from "@effect-zookeeper/console/Models"
import { createEffect, createMemo, createSignal, Match, on, Show, Switch } from "solid-js"
import { describe } from "../link/failures.ts"
import { useFeed } from "../link/run.ts"
import { line } from "../model/text.ts"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { limitsBefore, usePage } from "../shell/page.ts"
import { AclPanel } from "./AclPanel.tsx"
import { DataEditor } from "./DataEditor.tsx"
import { DataPanel } from "./DataPanel.tsx"
import { draftOf } from "./drafts.ts"
import { HistoryPanel } from "./HistoryPanel.tsx"
import { StatPanel } from "./StatPanel.tsx"
import { ZnodeHead } from "./ZnodeHead.tsx"

/** The states that are remembered of one znode while one looks at it. */
const remembered = 40

/** The znode of the route, live. */
export const ZnodeView = (props: { readonly onBack: () => void }) => {
  const { cluster, hello, route } = usePage()
  const [event, setEvent] = createSignal<Models.ZnodeEvent>()
  const [history, setHistory] = createSignal<ReadonlyArray<Models.ZnodeEvent>>([])
  const path = createMemo(() => route().path)
  const name = cluster()?.name ?? ""
  const limit = createMemo(() => (hello()?.limits ?? limitsBefore).data)
  const [round, setRound] = createSignal(0)

  createEffect(
    on(path, () => {
      setEvent()
      setHistory([])
    })
  )
  const feed = useFeed(
    (client) => {
      round()
      return client.znode({ cluster: name, path: path(), limit: limit() })
    },
    (next) => {
      setEvent(next)
      setHistory((history) => (isNews(history[0], next) ? [next, ...history].slice(0, remembered) : history))
    }
  )
  const present = createMemo(() => {
    const now = event()
    return now?._tag === "present" ? now : undefined
  })
  const failure = createMemo(() => {
    const state = feed()
    return state._tag === "Failed" ? state.error : undefined
  })
  const draft = createMemo(() => draftOf(name, path()))
  // The editor goes when its text is saved or discarded, and the focus would go with it.
  createEffect(
    on([draft, path], ([draft, path], before) => {
      if (before?.[0] !== undefined && before[1] === path && draft === undefined) {
        document.querySelector<HTMLElement>("[data-key='e']")?.focus({ preventScroll: true })
      }
    })
  )

  return (
    <article class="znode" aria-label={line(path())}>
      <ZnodeHead path={path()} present={present()} onBack={props.onBack} />
      <Switch
        fallback={
          <div class="empty">
            <p>Reading {line(path())} …</p>
          </div>
        }
      >
        <Match when={present()}>
          {(present) => (
            <div class="znode-body">
              <div class="stack">
                <Show when={draft()} fallback={<DataPanel path={path()} present={present()} />} keyed={false}>
                  <DataEditor path={path()} present={present()} />
                </Show>
              </div>
              <aside class="stack">
                <StatPanel path={path()} stat={present().stat} />
                <AclPanel path={path()} present={present()} onDoubt={() => setRound((round) => round + 1)} />
                <HistoryPanel history={history()} />
              </aside>
            </div>
          )}
        </Match>
        <Match when={event()?._tag === "gone"}>
          <div class="znode-body">
            <div class="stack">
              <Note tone="warn">
                <Show
                  when={history().length > 1}
                  fallback={
                    <>
                      There is no znode <Name text={path()} />.
                    </>
                  }
                >
                  <Name text={path()} /> was deleted while you looked.
                </Show>{" "}
                When it is created, it is shown here.
              </Note>
              <Show when={draft()}>
                <DataEditor path={path()} present={undefined} />
              </Show>
            </div>
            <aside class="stack">
              <HistoryPanel history={history()} />
            </aside>
          </div>
        </Match>
        <Match when={failure()}>
          {(error) => (
            <div class="znode-body">
              <Note tone="bad">{describe(error())}</Note>
            </div>
          )}
        </Match>
      </Switch>
    </article>
  )
}

const isNews = (before: Models.ZnodeEvent | undefined, next: Models.ZnodeEvent): boolean =>
  before?._tag !== "present" || next._tag !== "present"
    ? before?._tag !== next._tag
    : before.stat.mzxid !== next.stat.mzxid || before.stat.czxid !== next.stat.czxid
