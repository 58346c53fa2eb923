// Package picture is everything that Realword does with pixels outside the networks: reading the pictures that people
// drop in, the square and the views that the image encoders see, latent previews and mask overlays, and PNG files with
// the recipe inside.
//
// Contract: pure Go; of Realword it imports only tensors, colours and file handling. Every function may be called from any goroutine
// and keeps nothing: results belong to the caller, arguments are only read. Bad input never panics; it is an error that names the
// thing and the remedy. Files come from strangers, so declared sizes are checked before anything is allocated.
//
// Decode is the only way in for every picture: of the command, a batch, the window, the clipboard, the history and recipes. It reads
// colours in their own space and converts them to sRGB, shows as much of a damaged file as other programs do, says in notes what was
// lost, and stays within a gigabyte: larger pictures are scaled down while they are read. What is written is sRGB and says so.
//
// Pictures that may be transparent are *image.NRGBA; pictures to be shown are opaque *image.RGBA. Tensors are float32, channels first,
// 0..1 unless said otherwise.
package picture
