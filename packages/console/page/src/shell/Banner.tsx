import type { Cluster } from "@effect-zookeeper/console/Models"
import { createMemo, Match, Show, Switch } from "solid-js"
import type { LinkState } from "../link/Link.ts"
import { clock, duration } from "../model/time.ts"
import { Icon } from "../parts/Icon.tsx"
import { Keyed } from "../parts/Keyed.tsx"
import { Name } from "../parts/Name.tsx"
import type { Tone } from "../parts/Note.tsx"
import { usePage } from "./page.ts"

interface Trouble {
  readonly tone: Tone
  readonly title: string
  readonly text: string
}

/** Says what is wrong between the page, its server and the ensemble, for as long as it is wrong. */
export const Banner = () => {
  const { cluster, clusters, hello, href, link, now, route } = usePage()
  const trouble = createMemo(() => linkTrouble(link.state()) ?? clusterTrouble(cluster(), now()))
  const isUnknown = () =>
    trouble() === undefined && hello() !== undefined && clusters().length > 0 && cluster() === undefined
  return (
    <div class="banner-place" aria-live="polite">
      <Switch>
        <Match when={trouble()}>
          {(trouble) => (
            <div class={`banner ${trouble().tone}`} role="status">
              <Icon name={trouble().tone} />
              <p>
                <strong>{trouble().title}</strong> {trouble().text}
              </p>
            </div>
          )}
        </Match>
        <Match when={isUnknown()}>
          <div class="banner bad" role="status">
            <Icon name="bad" />
            <p>
              <strong>
                There is no cluster <Name text={route().cluster ?? ""} /> here.
              </strong>{" "}
              <Keyed each={clusters()} by={({ name }) => name}>
                {(one, index) => (
                  <>
                    <Show when={index() > 0}>, </Show>
                    <a href={href({ cluster: one().name })}>{one().name}</a>
                  </>
                )}
              </Keyed>
            </p>
          </div>
        </Match>
      </Switch>
    </div>
  )
}

const linkTrouble = (state: LinkState): Trouble | undefined => {
  switch (state._tag) {
    case "Full":
      return {
        tone: "bad",
        title: "Too many pages are open.",
        text: "The server of this page takes no more. Close other tabs with it: this one tries again every second."
      }
    case "Gone":
      return {
        tone: "bad",
        title: "The server of this page does not answer.",
        text: `zk ui was stopped, or its machine sleeps: silent since ${clock(state.since).slice(0, 8)}. What you see is from before. The page tries again every second, and keeps what you have typed.`
      }
    default:
      return undefined
  }
}

const clusterTrouble = (cluster: Cluster | undefined, now: number): Trouble | undefined => {
  if (cluster === undefined) return undefined
  const { problem, servers, since, state } = cluster
  const because = problem === undefined ? "" : ` ${sentence(problem)}`
  switch (state) {
    case "connecting":
      return now - since < 4000
        ? { tone: "info", title: "Connecting", text: `to ${servers}.` }
        : {
            tone: "bad",
            title: "No server of the ensemble answers.",
            text: `${servers} has been tried for ${duration(now - since)}.${because} It goes on trying.`
          }
    case "readOnly":
      return {
        tone: "warn",
        title: "Connected to a server without a quorum.",
        text: "What it shows may be old, and nothing can be changed until a majority of the members is back."
      }
    case "disconnected":
      return {
        tone: "bad",
        title: "The ensemble does not answer.",
        text: `No server since ${clock(since).slice(0, 8)}.${because} What you see is from before. It is connected again by itself.`
      }
    case "expired":
      // A server without a quorum gives no new session, unless it has local ones.
      return now - since < 10_000
        ? {
            tone: "warn",
            title: "The session has expired.",
            text: "A new one is being made, and everything is read again."
          }
        : {
            tone: "bad",
            title: "No server gives a new session.",
            text: `The one before has expired, and this has been tried for ${duration(now - since)}: the ensemble may have no quorum. What you see is from before. It goes on trying.`
          }
    case "failed":
      return { tone: "bad", title: "It cannot connect.", text: `${because} It does not try again by itself.`.trim() }
    default:
      return undefined
  }
}

const sentence = (text: string): string =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`
