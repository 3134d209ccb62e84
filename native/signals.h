// Which threads of the process take its signals, and how long it has to end by one.
#pragma once

namespace nni_cream {

// Keeps signals off this thread and all that it starts from now on.
void KeepSignalsOffComputation();

// Ends the process by the first SIGINT or SIGTERM so many milliseconds after it, and by a second
// one at once, whatever JavaScript does meanwhile. The same signal again within `copy` milliseconds
// is no second one. Only for signals that are handled by now.
void EndBySignalWithin(int limit, int copy);

}  // namespace nni_cream
