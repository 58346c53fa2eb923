// Package inspect is the mask inspection, which takes the place of the picture: the maps of one subject, kind by kind and step by step,
// what they say in numbers, and what another γ would make of them.
//
// Contract: Panel renders the film in view of the state that its Host answers, and keeps which subject and map is looked at and which γ
// is tried. What the user does goes out through the Host's functions and the fields On…; it knows neither the window nor another room. All
// of it belongs to Fyne's goroutine, but for inspection and scene: values that are worked out and painted on others. The masks are made by
// the engine's own rule (package guidance), so that they are what the engine has, or would have.
package inspect
