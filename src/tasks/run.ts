import type { Evaluation } from '../generated/evaluation.ts';
import type { SearchResult } from '../generated/result.ts';
import type { RankReport } from '../generated/rank.ts';
import type { TaskHost, TaskRequest } from './task.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

/** The result of a task, by its name in the config. */
export type TaskResult =
  | { readonly task: 'search'; readonly result: SearchResult }
  | { readonly task: 'evaluate'; readonly result: Evaluation }
  | { readonly task: 'select'; readonly result: Evaluation }
  | { readonly task: 'rank'; readonly result: RankReport };

/** Runs the config's task in a locked folder. */
export function runTask(request: TaskRequest, host: TaskHost): Promise<TaskResult> {
  return openWorkspace(request, host, (workspace) => runIn(workspace, host));
}

async function runIn(workspace: Workspace, host: TaskHost): Promise<TaskResult> {
  const { task } = workspace.config;
  switch (task) {
    case 'search':
      return { task, result: await (await import('./search.ts')).search(workspace, host) };
    case 'evaluate':
      return { task, result: await (await import('./evaluate.ts')).evaluate(workspace, host) };
    case 'select':
      return { task, result: await (await import('./select.ts')).selectAgain(workspace, host) };
    case 'rank':
      return { task, result: await (await import('./rank.ts')).rank(workspace, host) };
  }
}
