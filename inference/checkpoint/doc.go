// Package checkpoint reads the weight files that people have: safetensors (also in several parts) and the ZIP files of
// torch.save. It turns both into a Source: names, shapes, element types, and one tensor at a time.
//
// Contract:
//   - A file is recognised by its content, never by its name.
//   - Nothing in a file is executed. Pickles are interpreted from a closed list of opcodes; of globals those of plain weights mean
//     something, all others are names of objects that are never made, and those that would run something are refused.
//   - Only regular files are opened (package files). Sizes that a file declares are compared with the size of the file before memory
//     is taken for them, so reading needs the memory of one tensor (twice that for one stored with gaps between its elements). Headers
//     and indexes are read as a stream and take their own size at most, pickles 16 times theirs; tensors are counted up to a bound.
//   - What is not read (a type, an unknown kind of tensor, the state of a trainer) is listed as ignored. A tensor among it keeps its
//     name, has the type tensor.Invalid, and is a problem for who needs it.
//   - A broken file gives a *FormatError, an honest file that Realword does not read an *UnsupportedError. Both name the
//     file, the tensor where there is one, and the remedy, for any language (message.Teller); what exactly is broken in a file, and
//     what is wrong with which tensor, is English. Bad input never panics.
//   - A File may be read by several goroutines at once. A Set is for one goroutine.
//   - Checksums of ZIP entries are not verified: bundles carry their own hashes.
//
// Layers, from the file up: File (what is stored), View (the same tensors under the names of the network definitions; the
// tables are in keys.go), Set (exactly-once use and the list of all problems).
package checkpoint
