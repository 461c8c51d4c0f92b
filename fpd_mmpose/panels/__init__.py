"""Pictures of people with what the labels, a teacher, and a student say of them."""
