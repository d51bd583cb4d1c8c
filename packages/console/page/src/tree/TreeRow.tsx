import { createMemo, Match, Show, Switch } from "solid-js"
import { size } from "../model/data.ts"
import { lifetime } from "../model/stat.ts"
import { line } from "../model/text.ts"
import { ago } from "../model/time.ts"
import { nameOf } from "../model/znodePath.ts"
import { Icon } from "../parts/Icon.tsx"
import { Name } from "../parts/Name.tsx"
import { usePage } from "../shell/page.ts"
import type { Remark } from "./TreeModel.ts"
import type { TreeStore } from "./treeStore.ts"

const remarks: Readonly<Record<Remark, string>> = {
  listing: "listing …",
  noMatch: "no name here has this text: Enter searches everything below",
  forbidden: "the ACL does not allow to list the children",
  gone: "this znode is gone",
  tooMany: "it has more children than the page lists: search below it",
  failed: "it cannot be listed"
}

export const TreeRow = (props: {
  readonly store: TreeStore
  readonly index: number
  readonly isCursor: boolean
  readonly chosen: string
  readonly onChoose: (path: string) => void
  readonly onClose: (path: string) => void
}) => {
  const row = createMemo(() => {
    props.store.revision()
    return props.store.model.rowAt(props.index)
  })
  const indent = () => `${8 + (row()?.depth ?? 0) * 16}px`
  return (
    <Switch>
      <Match when={row()?._tag === "Znode" && row()}>
        {(row) => {
          const path = createMemo(() => {
            const now = row()
            return now._tag === "Znode" ? now.path : ""
          })
          return <ZnodeRow {...props} path={path()} depth={row().depth} indent={indent()} place={placeOf(row())} />
        }}
      </Match>
      <Match when={row()?._tag === "Hole"}>
        <div
          class="tree-row hole"
          classList={{ cursor: props.isCursor }}
          role="treeitem"
          aria-level={(row()?.depth ?? 0) + 1}
          id={`row-${props.index}`}
          style={{ "padding-left": indent() }}
        >
          <span class="hole-bar" />
          <span class="sr">loading</span>
        </div>
      </Match>
      <Match when={row()?._tag === "Remark" && row()}>
        {(row) => {
          const remark = () => {
            const now = row()
            if (now._tag !== "Remark") return ""
            return props.store.model.problemOf(now.parent) || remarks[now.remark]
          }
          return (
            <div
              class="tree-row remark"
              role="treeitem"
              aria-level={row().depth + 1}
              id={`row-${props.index}`}
              style={{ "padding-left": indent() }}
            >
              {remark()}
            </div>
          )
        }}
      </Match>
    </Switch>
  )
}

const placeOf = (row: {
  readonly _tag: string
  readonly place?: { readonly index: number; readonly siblings: number }
}) => row.place ?? { index: 0, siblings: 1 }

const ZnodeRow = (props: {
  readonly store: TreeStore
  readonly index: number
  readonly isCursor: boolean
  readonly chosen: string
  readonly path: string
  readonly depth: number
  readonly indent: string
  readonly place: { readonly index: number; readonly siblings: number }
  readonly onChoose: (path: string) => void
  readonly onClose: (path: string) => void
}) => {
  const { href, now } = usePage()
  const state = createMemo(() => {
    props.store.revision()
    const { model, seen } = props.store
    return { isOpen: model.isOpen(props.path), filter: model.filterOf(props.path), seen: seen(props.path) }
  })
  const stat = () => state().seen?.stat
  const children = () => stat()?.numChildren
  const canOpen = () => state().isOpen || children() !== 0
  const owner = () => {
    const now = stat()
    return now === undefined ? undefined : lifetime(now).owner
  }
  const isFresh = () => {
    const at = state().seen?.changedAt ?? 0
    return at !== 0 && performance.now() - at < 2500
  }
  const toggle = (event: MouseEvent): void => {
    event.stopPropagation()
    event.preventDefault()
    if (state().isOpen) props.onClose(props.path)
    else props.store.open(props.path)
  }
  return (
    <div
      class="tree-row"
      classList={{ cursor: props.isCursor, chosen: props.chosen === props.path, fresh: isFresh() }}
      role="treeitem"
      id={`row-${props.index}`}
      aria-level={props.depth + 1}
      aria-posinset={props.place.index + 1}
      aria-setsize={props.place.siblings}
      aria-expanded={canOpen() ? state().isOpen : undefined}
      aria-selected={props.chosen === props.path}
      style={{ "padding-left": props.indent }}
      onClick={() => props.onChoose(props.path)}
      onDblClick={(event) => toggle(event)}
    >
      <span
        class="twist"
        classList={{ leaf: !canOpen(), open: state().isOpen }}
        onClick={(event) => canOpen() && toggle(event)}
      >
        <Icon name="right" size={12} />
      </span>
      <a
        class="tree-name"
        href={href({ view: "tree", path: props.path })}
        tabindex="-1"
        title={line(props.path)}
        onClick={(event) => {
          if (!event.ctrlKey && !event.metaKey && !event.shiftKey) event.preventDefault()
        }}
      >
        <Name text={nameOf(props.path)} />
      </a>
      <Show when={owner()}>
        {(owner) => (
          <span class="badge info owner" title={`Ephemeral: it ends with the session ${owner()}`}>
            <span class="owner-word">ephemeral</span>
            <span class="mono owner-id">{owner()}</span>
          </span>
        )}
      </Show>
      <Show when={state().filter !== ""}>
        <button
          class="badge warn filter-badge"
          tabindex="-1"
          title="Show all names again"
          onClick={(event) => {
            event.stopPropagation()
            props.store.filter(props.path, "")
          }}
        >
          filter: {line(state().filter)} <Icon name="close" size={10} />
        </button>
      </Show>
      <span class="spring" />
      <Show when={state().seen?.isForbidden}>
        <span
          class="badge unreadable"
          title="Its ACL does not allow to read it, and the servers keep its figures back."
        >
          may not be read
        </span>
      </Show>
      <span class="cell-children number">
        {count(children())}
        <Show when={(children() ?? 0) > 0}>
          <span class="sr"> children</span>
        </Show>
      </span>
      <span class="cell-size number">{bytes(stat()?.dataLength)}</span>
      <span class="cell-time number">{(stat()?.mtime ?? 0) === 0 ? "" : ago(stat()?.mtime ?? 0, now())}</span>
    </div>
  )
}

const count = (children: number | undefined): string =>
  children === undefined || children === 0 ? "" : children.toLocaleString("en")

const bytes = (length: number | undefined): string =>
  length === undefined || length === 0 ? "" : size(length).replace(/ bytes?$/, " B")
