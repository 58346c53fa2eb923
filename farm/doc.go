// Package farm lets other computers make pictures: a queue on NATS JetStream, computers that take jobs from it, and a client that hands
// over requests and gets the events of inference back.
//
// Contract: what crosses the wire are Request, State and Events of package inference, pictures and states by their SHA-256, and the
// small values of this package; nothing else of an engine, no paths, no names of files on either side, but those that the graphs of a
// model which maps checkpoints name themselves. Delivery, storage and membership are JetStream's. A server is ours (Serve, embedded, TLS
// and one key for each computer) or anybody's (Dial with an Access).
//
// The path of a picture: Client.Start puts what a request needs into the object store, and one message for each picture (of a grid, each
// cell) into a work queue, which has one subject for each model. A Worker takes a message, publishes events as they come, keeps the
// State after some steps, and puts the result under the picture's key, where the first one stays; only then the message is acknowledged.
// A computer that is gone stops saying that it works: the message goes to another one, which continues from the kept State, bit for bit
// on the same provider. A second delivery of a picture that is there changes nothing. What ends three deliveries without one new kept
// step is parked with its reason: a result, too. A job goes on past such a picture if others of it were made, and fails in the end.
// Of a picture whose turn it is, and of which the farm has neither a message nor a result, the client queues another message.
// That a job has failed, or was cancelled, is told while the farm takes it back: nobody waits for a farm that is away.
//
// Room: a worker that has made a picture for which the store has no room keeps it, begins nothing else and asks again, so that a job whose
// client sleeps costs no picture twice. A client whose next picture waits for room takes others of the job off the farm before their turn.
//
// Order: a job's events come as package inference promises, the pictures one after the other; what other pictures are doing meanwhile
// shows in Progress alone. Times are the server's; no clock of a client or a worker is believed.
//
// Models: a client may offer one that it has, and answers with pieces of its files, by SHA-256. A worker whose owner allows it (Supply)
// gets models that pictures wait for, within the size and the licences that are allowed: into a folder beside its larder, going on where
// it was cut off, and it is a model only once every file has its SHA-256. What is said of a model can name no place outside its folder.
//
// Memory: a worker takes no picture that does not fit where it would run, as far as its engine knows that beforehand (Planner). What would
// not fit if nobody else wanted memory, or ran out of it, is for another computer; what would waits, and leaves the worker to other models.
//
// Trust: a client may do everything in the queue. A worker's key cannot queue or delete jobs. A worker checks what a request weighs
// before it reads it, and hashes what it reads; a client checks that a result answers its request. Whether the pixels are what the model
// makes nobody can tell but who makes them again.
//
// Everything may be called from any goroutine. The package imports no window, no history and no native code. Its errors are of package
// message, and cross the wire as such.
package farm
