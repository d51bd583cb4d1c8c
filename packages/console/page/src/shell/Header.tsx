import type { Cluster } from "@effect-zookeeper/console/Models"
import { For, Show } from "solid-js"
import { Icon } from "../parts/Icon.tsx"
import { Drafts } from "./Drafts.tsx"
import { usePage } from "./page.ts"
import { chooseTheme, theme, themes } from "./theme.ts"

export const Header = (props: { readonly onHelp: () => void; readonly onGoTo: () => void }) => {
  const { cluster, clusters, go, hello, readOnly } = usePage()
  const nextTheme = () => themes[(themes.indexOf(theme()) + 1) % themes.length] ?? "auto"
  return (
    <header>
      <Show
        when={clusters().length > 1}
        fallback={<strong class="cluster-name">{cluster()?.name ?? "ZooKeeper"}</strong>}
      >
        <select
          class="field cluster-choice"
          aria-label="Cluster"
          value={cluster()?.name ?? ""}
          onChange={(event) => go({ cluster: event.currentTarget.value, path: "/" })}
        >
          <Show when={cluster() === undefined}>
            <option value="">choose a cluster</option>
          </Show>
          {/* By their names: a state is another object each time, and with new options a browser chooses the first. */}
          <For each={clusters().map(({ name }) => name)}>{(name) => <option value={name}>{name}</option>}</For>
        </select>
      </Show>
      <Show when={cluster()}>{(cluster) => <State cluster={cluster()} />}</Show>
      <span class="spring" />
      <Drafts />
      <Show when={hello() !== undefined && cluster() !== undefined}>
        <Show
          when={readOnly()}
          fallback={
            <span
              class="badge warn"
              title="Changes are allowed: each is made only if the znode is still as you saw it."
            >
              <Icon name="edit" size={12} /> <span class="wide-only">changes on</span>
            </span>
          }
        >
          {(reason) => (
            <span class="badge" title={`Nothing can be changed: ${reason()}.`}>
              <Icon name="lock" size={12} /> <span class="wide-only">read-only</span>
            </span>
          )}
        </Show>
      </Show>
      <button
        class="button quiet icon-narrow"
        onClick={() => props.onGoTo()}
        title="Go to a path (g)"
        aria-label="Go to path"
      >
        <Icon name="search" />
        <span class="wide-only">Go to path</span>
      </button>
      <button
        class="button quiet icon"
        aria-label={`Colours: ${theme()}. Change to ${nextTheme()}.`}
        title={`Colours: ${theme()}`}
        onClick={() => chooseTheme(nextTheme())}
      >
        <Icon name={theme() === "light" ? "sun" : theme() === "dark" ? "moon" : "auto"} />
      </button>
      <button
        class="button quiet icon"
        aria-label="Help and keys"
        title="Help and keys (?)"
        onClick={() => props.onHelp()}
      >
        <Icon name="help" />
      </button>
    </header>
  )
}

const words: Readonly<Record<Cluster["state"], readonly [text: string, tone: string]>> = {
  idle: ["not connected yet", ""],
  connecting: ["connecting", "info"],
  connected: ["connected", "good"],
  readOnly: ["no quorum", "warn"],
  disconnected: ["disconnected", "bad"],
  expired: ["session expired", "warn"],
  failed: ["cannot connect", "bad"]
}

const State = (props: { readonly cluster: Cluster }) => {
  const { link } = usePage()
  const isGone = () => link.state()._tag !== "Open"
  return (
    <span class="state" title={props.cluster.servers}>
      <span class={`badge ${isGone() ? "bad" : words[props.cluster.state][1]}`}>
        <span class="dot" aria-hidden="true" />
        {isGone() ? "page offline" : words[props.cluster.state][0]}
      </span>
      <span class="mono muted wide-only state-server">{props.cluster.server ?? props.cluster.servers}</span>
    </span>
  )
}
