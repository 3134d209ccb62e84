/** A process with a fake manager, for tests that block their own: sends the address of a trial's channel. */
import { FakeManager } from './fake-manager.ts';
import { TRIAL_ID } from './nni.ts';

const manager = await FakeManager.start();
process.on('disconnect', () => void manager.stop());
process.send?.(manager.urlOf(TRIAL_ID));
