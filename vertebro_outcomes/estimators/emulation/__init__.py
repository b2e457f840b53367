"""Target trials emulated in observed courses: clones, adherence weights, weighted incidence."""
