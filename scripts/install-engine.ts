/** Installs the native engine without the command line: `node --import tsx scripts/install-engine.ts [WHEEL|DIR]`. */
import { installEngine } from '../src/engine/install/install.ts';

await installEngine({
  from: process.argv[2],
  logger: {
    log: (level, message) => {
      console.error(`${level}: ${message}`);
    },
  },
});
